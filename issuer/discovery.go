package issuer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tollgate/internal/problem"
	"tollgate/issuer/store"
	"tollgate/keys"
)

const (
	oauthMetadata  = "/.well-known/oauth-authorization-server" // RFC 8414 section 3
	openIDMetadata = "/.well-known/openid-configuration"       // OpenID Connect Discovery 1.0 section 4
)

// keysPath is where the key set is published.
const keysPath = "/.well-known/jwks.json"

// advertised is the document that was made of a key set.
type advertised struct {
	of  *keys.Published
	doc *keys.Published // nil: it cannot be made
}

// base is where clients reach the public listener; "" when nobody said.
func (i *Issuer) base() string {
	if i.PublicURL != "" {
		return strings.TrimSuffix(i.PublicURL, "/")
	}
	u, err := url.Parse(i.Claims.Issuer)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// plainPath is a path that needs no escape and means nothing to the router.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~.-]+)+$`)

// documents are the rows of discovery. An issuer with a path is looked for in two
// places: RFC 8414 section 3.1 puts the well-known part before the path, OpenID
// Connect behind it, and Spring asks for OpenID's document in the first place, too.
func (i *Issuer) documents(get []string) []row {
	paths := []struct{ name, path string }{{"issuer:oauth-authorization-server", oauthMetadata}, {"issuer:openid-configuration", openIDMetadata}}
	if u, err := url.Parse(i.Claims.Issuer); err == nil {
		if path := strings.TrimSuffix(u.Path, "/"); plainPath.MatchString(path) {
			paths = append(paths, []struct{ name, path string }{
				{"issuer:oauth-authorization-server-path", oauthMetadata + path},
				{"issuer:openid-configuration-path", openIDMetadata + path},
				{"issuer:openid-configuration-below", path + openIDMetadata},
			}...)
		}
	}
	var out []row
	for _, p := range paths {
		out = append(out, row{p.name, p.path, exactPath, get, -1, tokenTimeout, anonymous, (*Issuer).discovery})
	}
	return out
}

// discovery serves the metadata as the keys are served: to everybody, with the same
// life, for its list of algorithms is that of the published keys.
func (i *Issuer) discovery(c *call) error {
	if i.base() == "" {
		problem.WriteDetail(c.w, http.StatusNotFound, "There is no metadata: the issuer is no URL, and none was set for the endpoints.")
		return nil
	}
	keys.Handler(i.describeServer).ServeHTTP(c.w, c.r)
	return nil
}

func (i *Issuer) describeServer() *keys.Published {
	published := i.Keys()
	if published == nil {
		return nil
	}
	if last := i.advertised.Load(); last != nil && last.of == published {
		return last.doc
	}
	next := &advertised{of: published}
	set, _ := keys.ParseJWKS(published.JWKS, nil)
	if doc, err := json.Marshal(i.document(set)); err == nil {
		next.doc = keys.Document(doc, published.MaxAge)
	}
	i.advertised.Store(next)
	return next.doc
}

// serverMetadata is RFC 8414 section 2, with what OpenID Connect Discovery section 3
// asks for beside it. It says what is done here and nothing else: there is no
// authorization endpoint, and so no response type.
type serverMetadata struct {
	Issuer                  string   `json:"issuer"`
	TokenEndpoint           string   `json:"token_endpoint"`
	JWKS                    string   `json:"jwks_uri"`
	ResponseTypes           []string `json:"response_types_supported"`
	GrantTypes              []string `json:"grant_types_supported"`
	TokenAuth               []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms     []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpoint      string   `json:"revocation_endpoint"`
	RevocationAuth          []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpoint   string   `json:"introspection_endpoint"`
	IntrospectionAuth       []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	SubjectTypes            []string `json:"subject_types_supported"`
	Algorithms              []string `json:"id_token_signing_alg_values_supported"`
}

func (i *Issuer) document(set *keys.Set) serverMetadata {
	base := i.base()
	methods := []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}
	open := append(slices.Clone(methods), "none") // a log-in's tokens belong to no client
	var assertions []string
	for _, alg := range keys.Algorithms() {
		assertions = append(assertions, string(alg))
	}
	m := serverMetadata{
		Issuer: i.Claims.Issuer, TokenEndpoint: base + tokenPath, JWKS: base + keysPath, ResponseTypes: []string{}, GrantTypes: store.Grants(),
		TokenAuth: open, TokenAuthAlgorithms: assertions, RevocationEndpoint: base + revokePath, RevocationAuth: open, RevocationAlgorithms: assertions,
		IntrospectionEndpoint: base + introspectPath, IntrospectionAuth: methods, IntrospectionAlgorithms: assertions, SubjectTypes: []string{"public"},
	}
	for _, key := range set.Keys() {
		if alg := string(key.Algorithm()); !slices.Contains(m.Algorithms, alg) {
			m.Algorithms = append(m.Algorithms, alg)
		}
	}
	return m
}
