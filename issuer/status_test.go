package issuer_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const revocationsPath = "/.well-known/revocations"

// reference reads the place of an access token in its list.
func reference(t *testing.T, access string) (path string, index int) {
	t.Helper()
	var claims struct {
		Status struct {
			List struct {
				Index *int   `json:"idx"`
				URI   string `json:"uri"`
			} `json:"status_list"`
		} `json:"status"`
	}
	payload(t, access, &claims)
	at := claims.Status.List
	path, ours := strings.CutPrefix(at.URI, issuerkit.Issuer)
	if at.Index == nil || *at.Index < 0 || *at.Index >= 1<<17 || !ours || !strings.HasPrefix(path, "/.well-known/status/") {
		t.Fatalf("status claim %+v", at)
	}
	return path, *at.Index
}

func payload(t *testing.T, raw string, into any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("payload of %q: %v", raw, err)
	}
}

// published checks the signature of a document against the published keys, and what
// both sorts of documents have in common.
func published(t *testing.T, k *issuerkit.Kit, raw, typ, url string, into any) {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("no compact JWS: %q", raw)
	}
	header := issuerkit.Header(t, raw)
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || header["typ"] != typ || header["alg"] != "ES256" {
		t.Fatalf("header %v, %v", header, err)
	}
	key, ok := k.Ring.Set().Key(fmt.Sprint(header["kid"]))
	if !ok {
		t.Fatalf("the key %v is not published", header["kid"])
	}
	if err := key.Verify([]byte(parts[0]+"."+parts[1]), sig); err != nil {
		t.Fatalf("signature: %v", err)
	}
	var c struct {
		Iss, Sub string
		Iat, Exp int64
		TTL      int64 `json:"ttl"`
	}
	payload(t, raw, &c)
	if c.Iss != issuerkit.Issuer || c.Sub != issuerkit.Issuer+url || c.Iat > k.Now().Unix() || c.Exp-c.Iat != 60 || c.TTL != 10 {
		t.Errorf("claims %+v", c)
	}
	payload(t, raw, into)
}

// bit fetches a list and decodes it by what the draft says, not by our code.
func bit(t *testing.T, k *issuerkit.Kit, access string) int {
	t.Helper()
	path, index := reference(t, access)
	raw := k.Send(t, issuerkit.Request{Method: "GET", Path: path}).Must(t, 200).Body
	var claims struct {
		List struct {
			Bits int
			Lst  string
		} `json:"status_list"`
	}
	published(t, k, raw, "statuslist+jwt", path, &claims)
	compressed, err := base64.RawURLEncoding.DecodeString(claims.List.Lst)
	if err != nil || claims.List.Bits != 1 {
		t.Fatalf("%d bits, %v", claims.List.Bits, err)
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	list, err := io.ReadAll(r)
	if err != nil || len(list) != 1<<14 {
		t.Fatalf("%d bytes, %v", len(list), err)
	}
	return int(list[index>>3]>>(index&7)) & 1
}

// TestStatusFollowsRevocations: the bit of a token is what verify says of it, by
// whatever it was revoked, and back.
func TestStatusFollowsRevocations(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	kid := func(p issuerkit.Pair) string { return issuerkit.Header(t, p.Access)["kid"].(string) }
	for _, row := range []struct {
		kind  string
		value func(issuerkit.Pair) string
		all   bool // the bystander is revoked too
	}{
		{"jti", func(p issuerkit.Pair) string { return issuerkit.Text(t, p.Access, "jti") }, false},
		{"session", func(p issuerkit.Pair) string { return issuerkit.Text(t, p.Access, "sid") }, false},
		{"subject", func(issuerkit.Pair) string { return "1" }, false},
		{"all", func(issuerkit.Pair) string { return "" }, true},
		{"key", kid, true},
	} {
		t.Run(row.kind, func(t *testing.T) {
			p, other := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
			k.MustCatchUp(t, k.Status)
			if bit(t, k, p.Access) != 0 || bit(t, k, other.Access) != 0 {
				t.Fatal("a fresh token is invalid")
			}
			// Not by the admin API, which takes a revoked key out of the published ones.
			made, err := k.Revocations.Revoke(t.Context(), revocation.Order{Kind: revocation.Kind(row.kind), Value: row.value(p)})
			if err != nil {
				t.Fatal(err)
			}
			if bit(t, k, p.Access) != 0 {
				t.Error("a copy of the same second is not served again")
			}
			after := k.MustLogin(t, "alice")
			k.MustCatchUp(t, k.Status)
			for token, want := range map[string]bool{p.Access: true, other.Access: row.all, after.Access: row.kind == "key"} {
				if got := bit(t, k, token) == 1; got != want || got != (k.Verify(t, token) == 400) {
					t.Errorf("revoked: %t, want %t; verify says %d", got, want, k.Verify(t, token))
				}
			}
			if _, err := k.Revocations.Undo(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			k.MustCatchUp(t, k.Status)
			for _, token := range []string{p.Access, other.Access, after.Access} {
				if bit(t, k, token) != 0 {
					t.Error("undone, and still invalid")
				}
			}
		})
	}
}

// TestStatusOfAReplay: the same pair again has the same index, whoever signs it.
func TestStatusOfAReplay(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	p := k.MustLogin(t, "alice")
	var first, second issuerkit.Pair
	refresh(t, k, p.Refresh).Must(t, 200).Into(t, &first)
	if _, _, err := k.Ring.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	refresh(t, k, p.Refresh).Must(t, 200).Into(t, &second)
	path, index := reference(t, first.Access)
	if again, at := reference(t, second.Access); again != path || at != index {
		t.Errorf("%s %d, then %s %d", path, index, again, at)
	}
	before, after := issuerkit.Header(t, first.Access)["kid"], issuerkit.Header(t, second.Access)["kid"]
	if before == after {
		t.Fatal("signed by the same key")
	}
	k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "key", "value": before}).Must(t, 201)
	k.MustCatchUp(t, k.Status)
	if bit(t, k, first.Access) != 1 {
		t.Error("the copy that the revoked key has signed is valid")
	}
	if fresh := k.MustLogin(t, "alice"); bit(t, k, fresh.Access) != 0 {
		t.Error("a token of the new key is invalid")
	}
	if _, has := issuerkit.Claims(t, first.Refresh)["status"]; has {
		t.Error("a refresh token has a status: it is ours alone")
	}
}

// TestStatusDocuments: methods, conditions and headers of both documents.
func TestStatusDocuments(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	list, _ := reference(t, k.MustLogin(t, "alice").Access)
	for path, mediaType := range map[string]string{list: "application/statuslist+jwt", revocationsPath: "application/jwt"} {
		get := k.Send(t, issuerkit.Request{Method: "GET", Path: path, Header: http.Header{"Accept": {"application/statuslist+jwt"}}}).Must(t, 200)
		age, err := strconv.Atoi(strings.TrimPrefix(get.Header.Get("Cache-Control"), "public, max-age="))
		if err != nil || age < 0 || age > 3 || get.Header.Get("Content-Type") != mediaType || get.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", path, get.Header)
		}
		tag := get.Header.Get("Etag")
		for _, row := range []struct {
			method string
			header http.Header
			status int
		}{
			{"GET", http.Header{"If-None-Match": {tag}}, 304},
			{"GET", http.Header{"If-None-Match": {`"x", W/` + tag}}, 304},
			{"GET", http.Header{"If-None-Match": {`"x"`}}, 200},
			{"GET", http.Header{"Authorization": {"Bearer garbage"}}, 200},
			{"HEAD", nil, 200}, {"OPTIONS", nil, 204}, {"POST", nil, 405}, {"PURGE", nil, 405},
		} {
			a := k.Send(t, issuerkit.Request{Method: row.method, Path: path, Header: row.header})
			if a.Status != row.status || (a.Body != "") != (row.method != "HEAD" && (a.Status == 200 || a.Status == 405)) {
				t.Errorf("%s %s %v: %d %q", row.method, path, row.header, a.Status, a.Body)
			}
			if a.Status == 304 && a.Header.Get("Etag") != tag || a.Status == 204 && a.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: %v", row.method, path, a.Header)
			}
		}
		k.Advance(3 * time.Second)
		if a := k.Send(t, issuerkit.Request{Method: "GET", Path: path, Header: http.Header{"If-None-Match": {tag}}}); a.Status != 200 {
			t.Errorf("%s: a copy that was signed again is another one: %d", path, a.Status)
		}
		// What we sign is no credential.
		want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": get.Body}), 401, wrongType)
	}
	for path, status := range map[string]int{
		list + "?time=1686925000": 501, list + "x": 404, list + "/": 404, "/.well-known/status/": 404, "/.well-known/status/x": 404,
		list[:strings.LastIndex(list, "-")] + "-4095": 404, list[:strings.LastIndex(list, "-")] + "-4096": 404,
		revocationsPath + "?after=-1": 400, revocationsPath + "?after=x": 400, revocationsPath + "?after=1&after=2": 400,
		revocationsPath + "?after=9007199254740992": 400, revocationsPath + "?after=": 200, revocationsPath + "/": 404,
	} {
		if a := k.Send(t, issuerkit.Request{Method: "GET", Path: path}); a.Status != status {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}

// page is a page of revocations as a reader decodes it.
type feedPage struct {
	Epoch          string
	From, To, Next uint64
	More, Reset    bool
	Events         []statuslist.Event
}

func revocations(t *testing.T, k *issuerkit.Kit, query string) (p feedPage) {
	t.Helper()
	raw := k.Send(t, issuerkit.Request{Method: "GET", Path: revocationsPath + query}).Must(t, 200).Body
	published(t, k, raw, "revocations+jwt", revocationsPath, &p)
	return p
}

// TestRevocationsTellNoMoreThanNeeded: our own issuer's, without reason or actor;
// what is not kept by its digest.
func TestRevocationsTellNoMoreThanNeeded(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	p := k.MustLogin(t, "alice")
	sid := issuerkit.Text(t, p.Access, "sid")
	for _, o := range []revocation.Order{
		{Kind: revocation.KindSession, Value: sid, Reason: "secret-reason", Actor: "secret-actor", Subject: "1"},
		{Kind: revocation.KindJTI, Issuer: "https://other.example", Value: "secret-jti"},
		{Kind: revocation.KindSigned, Value: "secret.claims"},
		{Kind: revocation.KindAll},
	} {
		if _, err := k.Revocations.Revoke(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	k.MustCatchUp(t, k.Status)
	got := revocations(t, k, "")
	digest := revocation.DigestOf(issuerkit.Issuer, revocation.KindSigned, "secret.claims").String()
	if len(got.Events) != 3 || got.Events[0].SID != sid || got.Events[1].Digest != digest || !got.Events[2].All || got.Next != 4 || got.Events[0].Cut == 0 {
		t.Errorf("%+v", got)
	}
	for _, e := range got.Events {
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, "secret") || strings.Contains(text, "other") {
			t.Errorf("%s", text)
		}
	}
	k.Advance(time.Second)
	if next := revocations(t, k, fmt.Sprintf("?after=%d&epoch=%s", got.Next, got.Epoch)); len(next.Events) != 0 || next.Reset || next.Next != 4 {
		t.Errorf("%+v", next)
	}
}

// TestStatusUnavailable: while the index cannot be written nobody gets a token that
// could not be taken back, and without what is revoked there is no list.
func TestStatusUnavailable(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	list, _ := reference(t, k.MustLogin(t, "alice").Access)
	k.Status.Ledger.Gap("for the test") // until the next read, 50 ms later at most
	for _, path := range []string{list, revocationsPath} {
		a := k.Send(t, issuerkit.Request{Method: "GET", Path: path})
		if a.Status != 200 && (a.Status != 503 || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %d %v", path, a.Status, a.Header)
		}
	}
	k.Mini.SetError("LOADING no answer now")
	testkit.MustAwait(t, "no list from an issuer that hears nothing", func() bool {
		return k.Send(t, issuerkit.Request{Method: "GET", Path: list}).Status == 503
	})
	k.Mini.SetError("")
	k.MustUser(t, users.New{Username: "carol"})
	k.MustLogin(t, "carol")
}

// TestStatusIsNoCredential: an edge that believes the issuer refuses its documents.
func TestStatusIsNoCredential(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true})
	list, _ := reference(t, k.MustLogin(t, "alice").Access)
	raw := k.Send(t, issuerkit.Request{Method: "GET", Path: list}).Must(t, 200).Body
	for _, policy := range []*token.Policy{{TokenTypes: []string{"access"}}, {TokenTypes: []string{"refresh"}}, {}} {
		if id, err := k.Verifier.Authenticate(t.Context(), raw, policy, k.Revocations); err == nil {
			t.Errorf("accepted as %+v", id)
		}
	}
}
