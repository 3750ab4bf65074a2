package remote_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/remote"
)

// withMaxAge answers with a body and its Cache-Control.
func withMaxAge(body, control, age string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", control)
		if age != "" {
			w.Header().Set("Age", age)
		}
		says(body)(w, r)
	}
}

func mustOpenOwn(t *testing.T, c *clock, spec remote.Spec, previous *remote.Issuers) *remote.Issuers {
	t.Helper()
	spec.Issuer = issuerA
	i, err := remote.Open(t.Context(), []remote.Spec{spec}, remote.Config{Now: c.Now, Own: issuerA, OwnMaxAge: 5 * time.Minute, Previous: previous})
	must(t, err)
	t.Cleanup(i.Close)
	return i
}

// TestPublishedAge: the max-age is what the issuer gave less the time since, and
// when that is spent nothing is handed out.
func TestPublishedAge(t *testing.T) {
	document := mustDocument(t, "a", "b")
	for _, c := range []struct {
		name, control, age string
		after, want        time.Duration // want < 0: nothing
	}{
		{"at once", "public, max-age=300", "", 0, 5 * time.Minute},
		{"later", "public, max-age=300", "", time.Minute, 4 * time.Minute},
		{"just before the end", "max-age=300", "", 299 * time.Second, time.Second},
		{"spent", "max-age=300", "", 300 * time.Second, -1},
		{"long spent", "max-age=300", "", time.Hour, -1},
		{"less than ours", "max-age=60", "", 0, time.Minute},
		{"more than ours", "max-age=86400", "", 0, 5 * time.Minute},
		{"aged on the way", "max-age=300", "100", 0, 200 * time.Second},
		{"nothing said", "", "", 0, 5 * time.Minute},
		{"not to be kept", "no-store", "", 0, -1},
		{"to be asked about", "no-cache, max-age=300", "", 0, -1},
		{"zero", "max-age=0", "", 0, -1},
		{"nonsense", "max-age=soon", "", 0, -1},
		{"twice", "max-age=10, max-age=300", "", 0, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock()
			h := mustHost(t, withMaxAge(document, c.control, c.age))
			i := mustOpenOwn(t, clock, remote.Spec{JWKSURL: h.URL}, nil)
			clock.Advance(c.after)
			p := i.Published(issuerA)
			switch {
			case c.want < 0 && p != nil:
				t.Errorf("published with max-age %s", p.MaxAge)
			case c.want >= 0 && (p == nil || p.MaxAge != c.want || string(p.JWKS) != document):
				t.Errorf("%+v, want max-age %s", p, c.want)
			}
			if i.Issuers()[0].Keys.Set().Len() != 2 {
				t.Error("what may not be handed out may still be used")
			}
		})
	}
}

// TestPublishedIsOursAlone: other issuers' keys are not handed out, and ours are
// whole, whatever algorithms this edge takes.
func TestPublishedIsOursAlone(t *testing.T) {
	ec := mustKeys(t, "a")[0]
	r, err := keys.NewKeyWithID("r", rsaKey().Public(), keys.RS256)
	must(t, err)
	document := documentOf(t, ec, r)
	h := mustHost(t, withMaxAge(with(document, `{"kty":"oct","k":"AAAA","kid":"s"}`), "max-age=60", ""))
	i := mustOpenOwn(t, newClock(), remote.Spec{JWKSURL: h.URL, Algorithms: []keys.Algorithm{keys.ES256}}, nil)
	if set := i.Issuers()[0].Keys.Set(); set.Len() != 1 {
		t.Errorf("%d keys are taken", set.Len())
	}
	p := i.Published(issuerA)
	if p == nil || string(p.JWKS) != document || strings.Contains(string(p.JWKS), "AAAA") {
		t.Errorf("published %s", p.JWKS)
	}
	if i.Published("https://b.example") != nil || i.SetHash("https://b.example") != "" {
		t.Error("somebody else's keys are published")
	}
	other, err := remote.Open(t.Context(), []remote.Spec{{Issuer: issuerA, JWKSURL: h.URL}}, remote.Config{Own: "https://own.example"})
	must(t, err)
	defer other.Close()
	if other.Published(issuerA) != nil {
		t.Error("a foreign issuer's keys are published")
	}
}

// TestSetHash is what an edge reports: the name of the document as it was fetched.
func TestSetHash(t *testing.T) {
	document := mustDocument(t, "a")
	h := mustHost(t, says(document))
	i := mustOpenOwn(t, newClock(), remote.Spec{JWKSURL: h.URL}, nil)
	if got := i.SetHash(issuerA); got != keys.DocumentHash([]byte(document)) {
		t.Errorf("hash %q", got)
	}
}

// TestWithdraw: a set that was fetched before one of its keys was revoked is not
// handed out, and the key never again, whatever an issuer that has not heard of it
// says; nor does a reload forget it.
func TestWithdraw(t *testing.T) {
	ks := mustKeys(t, "a", "b")
	h := mustHost(t, says(documentOf(t, ks...)))
	clock := newClock()
	i := mustOpenOwn(t, clock, remote.Spec{JWKSURL: h.URL}, nil)
	h.now(status(http.StatusBadGateway))
	if !i.Withdraw(issuerA, "a") || i.Withdraw("https://b.example", "a") {
		t.Error("Withdraw does not know its issuers")
	}
	testkit.MustAwait(t, "asked", func() bool { return i.Status()[0].Failures > 0 })
	if i.Published(issuerA) != nil {
		t.Error("a set with a revoked key is handed out")
	}
	h.now(says(documentOf(t, ks...)))
	clock.Advance(time.Minute)
	i.Refetch(issuerA)
	testkit.MustAwait(t, "published", func() bool { return i.Published(issuerA) != nil })
	if got := string(i.Published(issuerA).JWKS); got != documentOf(t, ks[1]) {
		t.Errorf("published %s", got)
	}
	next := mustOpenOwn(t, clock, remote.Spec{JWKSURL: h.URL}, i)
	if p := next.Published(issuerA); p == nil || string(p.JWKS) != documentOf(t, ks[1]) {
		t.Errorf("after a reload: %+v", p)
	}
	if !next.Withdraw(issuerA, "not there") || next.Published(issuerA) == nil {
		t.Error("a key that is not in the set takes it off the air")
	}
}
