package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const jwksPath = "/.well-known/jwks.json"

// kidsAt returns the key ids that a process publishes, and its answer.
func (s *system) kidsAt() ([]string, reply) {
	s.tb.Helper()
	r := s.mustSend("GET", s.Public+jwksPath, nil)
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		}
	}
	if r.Status == http.StatusOK && json.Unmarshal([]byte(r.Body), &set) != nil {
		s.tb.Fatalf("the keys: %s", r.Body)
	}
	var kids []string
	for _, k := range set.Keys {
		kids = append(kids, k.ID)
	}
	return kids, r
}

// An edge hands out the keys of its own issuer, the very document, while the
// issuer is down; and not for longer than the issuer said.
func TestEdgePublishesTheIssuersKeys(t *testing.T) {
	issuers := mustIssuers(t, 1, "TOLLGATE_AUDIENCE=shop-api", "TOLLGATE_KEY_PREPUBLISH=6s")
	issuer := issuers[0]
	edge := mustEdges(t, 1, issuer.Redis.URL, issuer.Public, "TOLLGATE_KEY_PREPUBLISH=6s")[0]
	stranger := mustEdges(t, 1, issuer.Redis.URL, issuer.Public, "TOLLGATE_ISSUER=")[0]
	want, at := issuer.kidsAt()
	got, r := edge.kidsAt()
	if !slices.Equal(got, want) || r.Header.Get("ETag") != at.Header.Get("ETag") || !strings.HasPrefix(r.Header.Get("Cache-Control"), "public, max-age=") {
		t.Errorf("the edge: %v %v, the issuer: %v %v", got, r.Header, want, at.Header)
	}
	if r := edge.mustSend("GET", edge.Public+jwksPath, nil, "If-None-Match", at.Header.Get("ETag")); r.Status != http.StatusNotModified {
		t.Errorf("the issuer's tag at the edge: %d", r.Status)
	}
	if r := edge.mustSend("POST", edge.Public+jwksPath, nil); r.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.Status)
	}
	if _, r := stranger.kidsAt(); r.Status == http.StatusOK && strings.Contains(r.Body, `"keys"`) {
		t.Errorf("an edge of nobody: %d %s", r.Status, r.Body)
	}
	_ = issuer.process.Process.Kill()
	<-issuer.exited
	if _, r := edge.kidsAt(); r.Status != http.StatusOK {
		t.Errorf("with the issuer down: %d", r.Status)
	}
	edge.eventually("spent", 30*time.Second, func() bool { _, r := edge.kidsAt(); return r.Status == http.StatusServiceUnavailable })
}

// A key that is killed: its tokens are refused at every edge, other keys' are not,
// no edge hands the key out, and the answer says whom it hit.
func TestKillKey(t *testing.T) {
	issuer := mustIssuers(t, 1, "TOLLGATE_AUDIENCE=shop-api", "TOLLGATE_SIGNING_ALG=ES256")[0]
	edges := mustEdges(t, 3, issuer.Redis.URL, issuer.Public)
	issuer.mustAddUser(ada, adaPassword)
	control := func(path string, body any) string {
		r := issuer.mustSend("POST", issuer.Admin+"/admin/v1/keys/"+path, body, bearer(rootToken)...)
		if r.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, r.Status, r.Body)
		}
		return r.Body
	}
	// Each key reaches the edges before it signs; --now does not wait for that.
	everywhere := func() {
		for _, e := range edges {
			e.eventually("has the keys", 20*time.Second, func() bool {
				want, _ := issuer.kidsAt() // a pending one may have joined them
				got, _ := e.kidsAt()
				return slices.Equal(got, want)
			})
		}
	}
	var doomed, others []pair
	others = append(others, issuer.mustLogin(ada, adaPassword))
	everywhere()
	control("rotate", map[string]bool{"now": true})
	for range 3 {
		doomed = append(doomed, issuer.mustLogin(ada, adaPassword))
	}
	everywhere()
	control("rotate", map[string]bool{"now": true})
	others = append(others, issuer.mustLogin(ada, adaPassword))
	kid := headerOf(t, doomed[0].Access)["kid"].(string)
	for _, e := range edges { // every verdict is remembered
		for _, p := range slices.Concat(doomed, others) {
			e.wantCall(p.Access, 200, "")
		}
	}
	called := time.Now()
	answer := control(kid+"/revoke", nil)
	answered := time.Since(called)
	for _, e := range edges {
		for _, p := range doomed {
			e.eventually("refused", 20*time.Second, func() bool { return e.call(p.Access).Status == http.StatusUnauthorized })
		}
	}
	t.Logf("9 tokens refused on 3 edges %s after the call, which was answered after %s", time.Since(called).Round(time.Millisecond), answered.Round(time.Millisecond))
	if nightly && time.Since(called) > 100*time.Millisecond {
		t.Error("that took more than 100 ms")
	}
	for _, e := range edges {
		for _, p := range doomed {
			e.wantCall(p.Access, 401, "") // revoked, or signed by a key that the edge has dropped
		}
		for _, p := range others {
			e.wantCall(p.Access, 200, "")
		}
		e.eventually("without the key", 20*time.Second, func() bool { kids, r := e.kidsAt(); return r.Status == 200 && !slices.Contains(kids, kid) })
	}
	if !strings.Contains(answer, `"sessions_ended":3`) || !strings.Contains(answer, "log in again") {
		t.Errorf("the answer: %s", answer)
	}
	if next := issuer.mustLogin(ada, adaPassword); headerOf(t, next.Access)["kid"] == kid {
		t.Error("the dead key signs")
	}
}
