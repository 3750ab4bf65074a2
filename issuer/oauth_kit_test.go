package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

const (
	tokenPath      = "/oauth/token"
	revokePath     = "/oauth/revoke"
	introspectPath = "/oauth/introspect"
	exchangeGrant  = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessURN      = "urn:ietf:params:oauth:token-type:access_token"
	jwtURN         = "urn:ietf:params:oauth:token-type:jwt"
)

// oauthClient is a registered client with its secret.
type oauthClient struct{ id, secret string }

func mustClient(t *testing.T, k *issuerkit.Kit, c store.Client) oauthClient {
	t.Helper()
	if c.Grants == nil {
		c.Grants = store.Grants()
	}
	added, secret, err := k.Clients.Add(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	k.Logs.Secret(secret)
	return oauthClient{added.ID, secret}
}

// basic is RFC 6749 section 2.3.1.
func (c oauthClient) basic() http.Header {
	text := url.QueryEscape(c.id) + ":" + url.QueryEscape(c.secret)
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(text))}}
}

// form makes a body of names and values in pairs; a name may come twice.
func form(pairs ...string) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(parts, "&")
}

func sendForm(t *testing.T, k *issuerkit.Kit, path string, h http.Header, pairs ...string) issuerkit.Answer {
	t.Helper()
	return k.Send(t, issuerkit.Request{Path: path, Type: "application/x-www-form-urlencoded", Body: form(pairs...), Header: h})
}

// uncached is RFC 6749 section 5.1: nobody keeps an answer with a token.
func uncached(t *testing.T, a issuerkit.Answer) {
	t.Helper()
	h := a.Header
	if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
}

var descriptionForm = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

// wantError checks a refusal whole: RFC 6749 section 5.2.
func wantError(t *testing.T, a issuerkit.Answer, status int, code string) {
	t.Helper()
	uncached(t, a)
	var body map[string]string
	a.Into(t, &body)
	if a.Status != status || body["error"] != code || len(body) != 2 || !descriptionForm.MatchString(body["error_description"]) {
		t.Errorf("%d %s, want %d %s", a.Status, a.Body, status, code)
	}
	if challenge := a.Header.Get("WWW-Authenticate"); (status == 401) != strings.HasPrefix(challenge, `Basic realm="`) {
		t.Errorf("status %d with the challenge %q", a.Status, challenge)
	}
	if (a.Header.Get("Retry-After") != "") != (status == 429 || status == 503) {
		t.Errorf("status %d with Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
}

// wantToken checks a success: RFC 6749 section 5.1.
func wantToken(t *testing.T, a issuerkit.Answer) (token string, body map[string]any) {
	t.Helper()
	a.Must(t, 200)
	uncached(t, a)
	body = a.Map(t)
	token, _ = body["access_token"].(string)
	if body["token_type"] != "Bearer" || token == "" {
		t.Fatalf("%s", a.Body)
	}
	return token, body
}

// mustToken gets a token for a client.
func (c oauthClient) mustToken(t *testing.T, k *issuerkit.Kit, more ...string) string {
	t.Helper()
	token, _ := wantToken(t, sendForm(t, k, tokenPath, c.basic(), append([]string{"grant_type", "client_credentials"}, more...)...))
	return token
}

// active asks introspection.
func active(t *testing.T, k *issuerkit.Kit, c oauthClient, token string) bool {
	t.Helper()
	a := sendForm(t, k, introspectPath, c.basic(), "token", token).Must(t, 200)
	uncached(t, a)
	body := a.Map(t)
	on, ok := body["active"].(bool)
	if !ok || !on && len(body) != 1 {
		t.Fatalf("%s", a.Body)
	}
	return on
}

// keyPair is a client's own key, used with the standard library alone.
type keyPair struct {
	private *ecdsa.PrivateKey
	kid     string
}

func mustKeyPair(t *testing.T, kid string) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{key, kid}
}

func jwksOf(t *testing.T, pairs ...keyPair) json.RawMessage {
	t.Helper()
	var list []string
	for _, p := range pairs {
		point, err := p.private.PublicKey.Bytes() // 4 ‖ x ‖ y
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.RawURLEncoding.EncodeToString
		list = append(list, fmt.Sprintf(`{"kty":"EC","crv":"P-256","alg":"ES256","kid":%q,"x":%q,"y":%q}`, p.kid, b64(point[1:33]), b64(point[33:])))
	}
	return json.RawMessage(`{"keys":[` + strings.Join(list, ",") + `]}`)
}

func (p keyPair) sign(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(append(padded(r), padded(s)...))
}

func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

// assertion is one of RFC 7523 section 3; changes replace claims, nil removes one.
func (p keyPair) assertion(t *testing.T, k *issuerkit.Kit, id string, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": id, "sub": id, "aud": issuerkit.Issuer + tokenPath, "jti": rand.Text(), "iat": k.Now().Unix(), "exp": k.Now().Add(time.Minute).Unix(),
	}
	for name, v := range changes {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	header := map[string]any{"alg": "ES256", "typ": "JWT"}
	if p.kid != "" {
		header["kid"] = p.kid
	}
	return p.sign(t, header, claims)
}

// jsonInt is a number as a decoder with UseNumber reads it.
func jsonInt(n int64) json.Number {
	text, _ := json.Marshal(n)
	return json.Number(text)
}
