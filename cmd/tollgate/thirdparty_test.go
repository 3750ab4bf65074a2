package main

import (
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// What follows stands in docs/third-party-verifiers.md, word for word.

// accepted reports whether a token still counts whose claims are verified.
func accepted(claims map[string]any, issuer string, verify func(jwt string) (map[string]any, error)) (bool, error) {
	status, _ := claims["status"].(map[string]any)
	place, _ := status["status_list"].(map[string]any)
	uri, _ := place["uri"].(string)
	idx, ok := place["idx"].(float64)
	if !ok || !strings.HasPrefix(uri, issuer+"/.well-known/status/") {
		return false, errors.New("the token has no place in a status list of ours")
	}
	res, err := http.Get(uri) // keep what comes for `ttl` seconds: it serves every token of the list
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || res.StatusCode != http.StatusOK {
		return false, errors.Join(errors.New(res.Status), err)
	}
	list, err := verify(string(raw))
	if err != nil || list["sub"] != uri {
		return false, errors.Join(errors.New("no status list of this place"), err)
	}
	lst, _ := list["status_list"].(map[string]any)["lst"].(string)
	r, err := zlib.NewReader(base64.NewDecoder(base64.RawURLEncoding, strings.NewReader(lst)))
	if err != nil {
		return false, err
	}
	bits, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if i := int(idx); err == nil && i >= 0 && i/8 < len(bits) {
		return bits[i/8]>>(i%8)&1 == 0, nil
	}
	return false, errors.Join(errors.New("no such index"), err)
}

// The end of what stands there.

// TestThirdPartyVerifier: a verifier that has the published keys and nothing else
// learns of a revocation from the status list, and of its undoing.
func TestThirdPartyVerifier(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", testkit.MustFreePort(t))
	url := "http://" + address
	s := mustSystem(t, "TOLLGATE_STATUS_LIST=true", "TOLLGATE_PUBLIC_URL="+url+"/", "TOLLGATE_LISTEN="+address)
	s.Public = url
	s.mustAddUser(ada, adaPassword)
	p, other := s.mustLogin(ada, adaPassword), s.mustLogin(ada, adaPassword)
	verify := func(raw string) (map[string]any, error) { return verifyES256(url, raw) }
	is := func(token string, want bool) func() bool {
		return func() bool {
			claims, err := verify(token)
			if err != nil {
				t.Fatal(err)
			}
			got, err := accepted(claims, url, verify)
			if err != nil {
				t.Fatal(err)
			}
			return got == want
		}
	}
	if !is(p.Access, true)() || !is(other.Access, true)() {
		t.Fatal("a fresh token is not accepted")
	}
	made := s.mustRevoke(map[string]string{"kind": "session", "value": claimsOf(t, p.Access)["sid"].(string)})
	const promised = 15 * time.Second // docs/third-party-verifiers.md
	s.eventually("refused by a third party", promised, is(p.Access, false))
	if !is(other.Access, true)() {
		t.Error("another session's token is refused")
	}
	if r := s.mustSend("DELETE", s.Admin+"/admin/v1/revocations/"+fmt.Sprint(made["id"]), nil, bearer(rootToken)...); r.Status/100 != 2 {
		t.Fatalf("undo: %d %s", r.Status, r.Body)
	}
	s.eventually("accepted again by a third party", promised, is(p.Access, true))

	page, err := verify(s.mustSend("GET", s.Public+"/.well-known/revocations", nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	events, _ := page["events"].([]any)
	if len(events) != 2 || events[0].(map[string]any)["sid"] != claimsOf(t, p.Access)["sid"] || events[1].(map[string]any)["undone"] != true {
		t.Errorf("revocations %v", page)
	}
	s.wantCall(s.mustSend("GET", s.Public+"/.well-known/revocations", nil).Body, 401, "")
}

// TestNoStatusListUnlessAskedFor: the pages tell subjects.
func TestNoStatusListUnlessAskedFor(t *testing.T) {
	s := mustSystem(t)
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	if claim, has := claimsOf(t, p.Access)["status"]; has {
		t.Errorf("status %v", claim)
	}
	for _, path := range []string{"/.well-known/revocations", "/.well-known/status/00000000-300-5939245-0"} {
		if r := s.mustSend("GET", s.Public+path, nil); r.Status != 401 { // an ordinary path of the back end
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}

// verifyES256 stands for somebody's JWT library: the standard library alone, and the
// published keys.
func verifyES256(base, raw string) (map[string]any, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("no JWT: %q", raw)
	}
	var segments [3][]byte
	for i, part := range parts {
		var err error
		if segments[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil, err
		}
	}
	res, err := http.Get(base + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var header struct{ Alg, Kid string }
	var set struct {
		Keys []struct{ Kid, Crv, X, Y string }
	}
	var claims map[string]any
	err = errors.Join(json.Unmarshal(segments[0], &header), json.NewDecoder(res.Body).Decode(&set), json.Unmarshal(segments[1], &claims))
	if err != nil || header.Alg != "ES256" || len(segments[2]) != 64 {
		return nil, fmt.Errorf("header %+v: %w", header, err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	for _, k := range set.Keys {
		x, errX := base64.RawURLEncoding.DecodeString(k.X)
		y, errY := base64.RawURLEncoding.DecodeString(k.Y)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err := errors.Join(errX, errY, err); err != nil {
			return nil, err
		}
		if k.Kid == header.Kid && ecdsa.Verify(key, digest[:], number(segments[2][:32]), number(segments[2][32:])) {
			if exp, _ := claims["exp"].(float64); claims["iss"] != testIssuer || time.Now().Unix() >= int64(exp) {
				return nil, fmt.Errorf("claims %v", claims)
			}
			return claims, nil
		}
	}
	return nil, errors.New("no published key has signed this")
}

// TestVerifierInTheDocs: the text of the page is what was tested.
func TestVerifierInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/third-party-verifiers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```go\n")
	code, _, found := strings.Cut(rest, "```")
	own, err := os.ReadFile("thirdparty_test.go")
	if err != nil || !found {
		t.Fatal(err, found)
	}
	if !strings.Contains(string(own), "word for word.\n\n"+code+"\n// The end of what stands there.\n") {
		t.Error("the page shows another verifier than the tested one")
	}
}
