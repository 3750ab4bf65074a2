package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// forge makes tokens with the system's own signing key, read from its key store:
// each is wrong in one respect alone.
type forge struct {
	tb     testing.TB
	active ring.Key
	other  ring.Key // the pending key
}

func mustForge(tb testing.TB, dir string) *forge {
	tb.Helper()
	r, err := keystore.NewFile(dir, keystore.FileOptions{Issuer: testIssuer}).Load(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	f := &forge{tb: tb}
	for _, k := range r.Keys {
		switch k.State {
		case "active":
			f.active = k
		case "pending":
			f.other = k
		}
	}
	if f.active.Private == nil || f.other.Private == nil {
		tb.Fatalf("the ring has no active or no pending key: %+v", r.Keys)
	}
	return f
}

var encoding = base64.RawURLEncoding

func (f *forge) header(change ...func(map[string]any)) string {
	h := map[string]any{"alg": "ES256", "kid": f.active.ID, "typ": "JWT"}
	for _, c := range change {
		c(h)
	}
	text, err := json.Marshal(h)
	if err != nil {
		f.tb.Fatal(err)
	}
	return string(text)
}

func (f *forge) claims(change ...func(map[string]any)) string {
	now := time.Now().Unix()
	c := map[string]any{
		"iss": testIssuer, "aud": "shop-api", "sub": "1", "user_id": "1", "jti": "00112233445566778899aabbccddeeff", "token_type": "access",
		"iat": now - 1, "exp": now + 200,
	}
	for _, change := range change {
		change(c)
	}
	text, err := json.Marshal(c)
	if err != nil {
		f.tb.Fatal(err)
	}
	return string(text)
}

// sign makes a compact token of two JSON texts.
func (f *forge) sign(key ring.Key, header, claims string) string {
	signed := encoding.EncodeToString([]byte(header)) + "." + encoding.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key.Private.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		f.tb.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encoding.EncodeToString(signature)
}

func (f *forge) good(change ...func(map[string]any)) string {
	return f.sign(f.active, f.header(), f.claims(change...))
}

func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) { m[name] = value }
}

func unset(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }

// hmacWith signs with the public key as an HMAC secret, the oldest confusion.
func (f *forge) hmacWith(secret []byte) string {
	signed := encoding.EncodeToString([]byte(f.header(set("alg", "HS256")))) + "." + encoding.EncodeToString([]byte(f.claims()))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encoding.EncodeToString(mac.Sum(nil))
}

func publicPEM(tb testing.TB, key crypto.PublicKey) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// hostile lists the tokens that must be refused, with the reason for each.
func (f *forge) hostile() []struct{ name, token, reason string } {
	now := time.Now().Unix()
	good := f.good()
	parts := strings.Split(good, ".")
	flattened, _ := json.Marshal(map[string]any{"payload": parts[1], "protected": parts[0], "signature": parts[2], "sub": "admin", "iss": testIssuer, "exp": now + 200, "jti": "fresh"})
	general, _ := json.Marshal(map[string]any{"payload": parts[1], "signatures": []any{map[string]string{"protected": parts[0], "signature": parts[2]}}})
	claims := f.claims()
	return []struct{ name, token, reason string }{
		{"no signature", parts[0] + "." + parts[1] + ".", "malformed"},
		{"two segments", parts[0] + "." + parts[1], "malformed"},
		{"alg none", encoding.EncodeToString([]byte(f.header(set("alg", "none")))) + "." + parts[1] + "." + parts[2], "algorithm"},
		{"HS256 with the public key", f.hmacWith(publicPEM(f.tb, f.active.Public)), "algorithm"},
		{"another key's kid", f.sign(f.active, f.header(set("kid", f.other.ID)), claims), "signature"},
		{"an unknown kid", f.sign(f.active, f.header(set("kid", "nobody")), claims), "unknown_key"},
		{"no kid", f.sign(f.active, f.header(unset("kid")), claims), "unknown_key"},
		{"a changed payload", parts[0] + "." + encoding.EncodeToString([]byte(f.claims(set("sub", "2")))) + "." + parts[2], "signature"},
		{"expired", f.good(set("exp", now-60), set("iat", now-120)), "expired"},
		{"no exp", f.good(unset("exp")), "malformed"},
		{"exp for ever", f.good(set("exp", 1e18)), "malformed"},
		{"not yet valid", f.good(set("nbf", now+60)), "not_yet_valid"},
		{"issued in the future", f.good(set("iat", now+60), set("exp", now+100)), "not_yet_valid"},
		{"wrong audience", f.good(set("aud", "other-api")), "audience"},
		{"no audience", f.good(unset("aud")), "audience"},
		{"wrong issuer", f.good(set("iss", "https://evil.example.com")), "issuer"},
		{"a refresh token", f.good(set("token_type", "refresh")), "token_type"},
		{"no type", f.good(unset("token_type")), "token_type"},
		{"lives too long", f.good(set("exp", now+86400)), "lifetime"},
		{"flattened JSON", string(flattened), "malformed"},
		{"general JSON", string(general), "malformed"},
		{"padded base64", parts[0] + "." + parts[1] + "." + parts[2] + "==", "malformed"},
		{"standard alphabet", parts[0] + "." + parts[1] + ".+" + parts[2][1:], "malformed"},
		{"unused bits", parts[0] + "." + parts[1] + "." + noncanonical(parts[2]), "malformed"},
		{"duplicate in the header", f.sign(f.active, strings.Replace(f.header(), "{", `{"alg":"none",`, 1), claims), "malformed"},
		{"duplicate claim", f.sign(f.active, f.header(), strings.Replace(claims, "{", `{"sub":"admin",`, 1)), "malformed"},
		{"duplicate claim in another case", f.sign(f.active, f.header(), strings.Replace(claims, "{", `{"SUB":"admin",`, 1)), "malformed"},
		{"crit", f.sign(f.active, f.header(set("crit", []string{"exp"})), claims), "malformed"},
		{"jku", f.sign(f.active, f.header(set("jku", "http://127.0.0.1:1/")), claims), "malformed"},
		{"9 KiB", f.good(set("padding", strings.Repeat("x", 9<<10))), "malformed"},
		{"no jti", f.good(unset("jti")), "malformed"},
	}
}

// noncanonical sets a bit that base64 does not use: another spelling of the same
// bytes.
func noncanonical(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last|1])
}

// Every token that must be refused is, with its reason in the log line and in the
// metric, and none reaches the back end.
func TestHostileTokensAreRefusedWithTheirReason(t *testing.T) {
	dir := t.TempDir()
	s := mustSystem(t, "TOLLGATE_KEY_STORE=file:"+dir, "TOLLGATE_KEY_ENCRYPTION_KEY=", "TOLLGATE_AUDIENCE=shop-api")
	f := mustForge(t, dir)
	// Without a session the forged tokens compare their iat, so they must be
	// younger than the store.
	s.eventually("accepting the forge's tokens", 20*time.Second, func() bool { return s.call(f.good()).Status == 200 })
	s.wantCall(f.good(set("aud", []string{"x", "shop-api"})), 200, "")
	// Lines come after their answers: those of the calls that were refused until now
	// must not be taken for the first hostile one's.
	s.eventually("both logged", 20*time.Second, func() bool { return s.logs.Count(`"decision":"allow"`) == 2 })
	before := len(s.requests())
	count := map[string]int{}
	for _, h := range f.hostile() {
		count[h.reason]++
		mark := len(s.logs.String())
		r := s.call(h.token)
		if r.Status != 401 || !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="invalid_token"`) || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %v", h.name, r.Status, r.Body, r.Header)
		}
		s.eventually("logged: "+h.name, 20*time.Second, func() bool { return strings.Contains(s.logs.String()[mark:], `"decision":"deny"`) })
		if line := s.logs.String()[mark:]; !strings.Contains(line, `"reason":"`+h.reason+`"`) {
			t.Errorf("%s: want the reason %s in %s", h.name, h.reason, line)
		}
	}
	if n := len(s.requests()) - before; n != 0 {
		t.Errorf("%d hostile requests reached the back end", n)
	}
	for reason, n := range count {
		want := `tollgate_auth_denied_total{reason="` + reason + `",route="site"} ` + itoa(n) + "\n"
		s.eventually("counted: "+want, 20*time.Second, func() bool { return strings.Contains(s.mustSend("GET", s.Ops+"/metrics", nil).Body, want) })
	}
}

func itoa(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}
