package issuer_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
)

const (
	oauthMetadata  = "/.well-known/oauth-authorization-server"
	openIDMetadata = "/.well-known/openid-configuration"
)

func get(t *testing.T, k *issuerkit.Kit, path string, header ...string) issuerkit.Answer {
	t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return k.Send(t, issuerkit.Request{Method: "GET", Path: path, Header: h})
}

// TestDiscovery: the document says what is done here, all of it and nothing else
// (RFC 8414 section 2, OpenID Connect Discovery section 3).
func TestDiscovery(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	algorithms := []any{"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"}
	closed := []any{"client_secret_basic", "client_secret_post", "private_key_jwt"}
	open := append(closed[:3:3], "none")
	want := map[string]any{
		"issuer": issuerkit.Issuer, "jwks_uri": issuerkit.Issuer + jwksPath, "token_endpoint": issuerkit.Issuer + tokenPath,
		"revocation_endpoint": issuerkit.Issuer + revokePath, "introspection_endpoint": issuerkit.Issuer + introspectPath,
		"response_types_supported": []any{}, "subject_types_supported": []any{"public"}, "id_token_signing_alg_values_supported": []any{"ES256"},
		"grant_types_supported":                                    []any{"client_credentials", "refresh_token", exchangeGrant},
		"token_endpoint_auth_methods_supported":                    open,
		"revocation_endpoint_auth_methods_supported":               open,
		"introspection_endpoint_auth_methods_supported":            closed,
		"token_endpoint_auth_signing_alg_values_supported":         algorithms,
		"revocation_endpoint_auth_signing_alg_values_supported":    algorithms,
		"introspection_endpoint_auth_signing_alg_values_supported": algorithms,
	}
	for _, path := range []string{oauthMetadata, openIDMetadata} {
		a := get(t, k, path, "Accept", "text/plain").Must(t, 200)
		if diff := cmp.Diff(want, a.Map(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		h, keys := a.Header, get(t, k, jwksPath)
		if h.Get("Cache-Control") != keys.Header.Get("Cache-Control") || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("ETag") == keys.Header.Get("ETag") ||
			h.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", h)
		}
		if again := get(t, k, path, "If-None-Match", h.Get("ETag")).Must(t, 304); again.Body != "" {
			t.Errorf("%q", again.Body)
		}
		k.Send(t, issuerkit.Request{Method: "OPTIONS", Path: path}).Must(t, 204)
		k.Send(t, issuerkit.Request{Path: path}).Must(t, 405)
		get(t, k, path+"/").Must(t, 404)
	}
	// What the document names is there.
	for _, path := range []string{tokenPath, revokePath, introspectPath} {
		k.Send(t, issuerkit.Request{Method: "GET", Path: path}).Must(t, 405)
	}
}

// TestDiscoveryPlaces: where the document of an issuer with a path is looked for
// (RFC 8414 sections 3.1 and 5), and what it says of the endpoints.
func TestDiscoveryPlaces(t *testing.T) {
	for _, row := range []struct {
		issuer, public, endpoints string
		there, missing            []string
	}{
		{"https://id.example/", "", "https://id.example", []string{oauthMetadata, openIDMetadata}, []string{"/x" + openIDMetadata}},
		{"https://id.example/tenant/1", "", "https://id.example",
			[]string{oauthMetadata, openIDMetadata, oauthMetadata + "/tenant/1", openIDMetadata + "/tenant/1", "/tenant/1" + openIDMetadata}, []string{"/tenant" + openIDMetadata}},
		{"https://id.example/tenant", "https://gw.example/auth/", "https://gw.example/auth", []string{openIDMetadata + "/tenant"}, nil},
		{"https://id.example/a:b", "", "https://id.example", []string{openIDMetadata}, []string{openIDMetadata + "/a:b"}},
		{"urn:example:id", "http://gw.example:8080", "http://gw.example:8080", []string{oauthMetadata}, nil},
		{"somebody", "", "", nil, []string{oauthMetadata, openIDMetadata}},
	} {
		t.Run(row.issuer, func(t *testing.T) {
			k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Claims.Issuer, c.PublicURL = row.issuer, row.public }})
			for _, path := range row.there {
				m := get(t, k, path).Must(t, 200).Map(t)
				if m["issuer"] != row.issuer || m["token_endpoint"] != row.endpoints+tokenPath || m["jwks_uri"] != row.endpoints+jwksPath {
					t.Errorf("%s: %v", path, m)
				}
			}
			for _, path := range row.missing {
				get(t, k, path).Must(t, 404)
			}
		})
	}
}
