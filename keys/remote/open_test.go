package remote_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/remote"
	"tollgate/keys/token"
)

// TestOpenWaits: 5 s at most for the first sets, and no longer than it takes.
func TestOpenWaits(t *testing.T) {
	after := func(d time.Duration, document string) trip {
		return func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(d):
				return answer(200, document), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
	for name, tt := range map[string]struct {
		serve func(string) trip
		took  time.Duration
		keys  string
	}{
		"at once": {gives, 0, "a"},
		"down":    {func(string) trip { return refuses }, 0, ""},
		"slow":    {func(d string) trip { return after(3*time.Second, d) }, 3 * time.Second, "a"},
		"deaf": {func(d string) trip {
			return func(*http.Request) (*http.Response, error) {
				time.Sleep(time.Minute) // whatever the deadline of the request is
				return answer(200, d), nil
			}
		}, 5 * time.Second, ""},
		"very slow": {func(d string) trip { return after(10*time.Second, d) }, 5 * time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubbled(tt.serve(mustDocument(t, "a")))
				began := time.Now()
				i := mustOpen(t, remote.Config{Client: b.client()}, urlSpec("https://a.example/jwks"))
				if took := time.Since(began); took != tt.took {
					t.Errorf("Open took %v, want %v", took, tt.took)
				}
				wantKids(t, keysOf(i).Set(), tt.keys)
			})
		})
	}
}

// TestOpenIsCancelled leaves nothing behind.
func TestOpenIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := remote.Open(ctx, []remote.Spec{urlSpec("https://a.example/jwks")}, remote.Config{Client: newBubbled(hang).client()})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Open returned %v", err)
		}
	})
}

// TestOpenOutlivesItsContext: what ends the call that opened does not end the
// fetches.
func TestOpenOutlivesItsContext(t *testing.T) {
	h := mustHost(t, says(mustDocument(t, "a")))
	ctx, cancel := context.WithCancel(t.Context())
	i, err := remote.Open(ctx, []remote.Spec{urlSpec(h.URL)}, remote.Config{MinRefetch: 1})
	must(t, err)
	defer i.Close()
	cancel()
	h.now(says(mustDocument(t, "b")))
	wantKids(t, keysOf(i).Await(t.Context(), "b"), "b")
}

// TestReload: the sets of addresses that stay are taken over with their age, so
// that a reload during an outage loses nothing and asks nobody.
func TestReload(t *testing.T) {
	c := newClock()
	h := mustHost(t, says(mustDocument(t, "a")))
	first := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	h.now(status(http.StatusInternalServerError))
	c.Advance(time.Minute)
	for name, tt := range map[string]struct {
		change func(*remote.Spec)
		want   string
	}{
		"same":             {func(s *remote.Spec) { s.Audiences = []string{"api"} }, "a"},
		"other issuer":     {func(s *remote.Spec) { s.Issuer = "https://b.example" }, ""},
		"other address":    {func(s *remote.Spec) { s.JWKSURL += "/x" }, ""},
		"other algorithms": {func(s *remote.Spec) { s.Algorithms = []keys.Algorithm{keys.RS256} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before, s := h.asked.Load(), urlSpec(h.URL)
			tt.change(&s)
			next := mustOpen(t, remote.Config{Now: c.Now, Previous: first}, s)
			wantKids(t, keysOf(next).Set(), tt.want)
			if tt.want == "" {
				return
			}
			if got := next.Status()[0]; got.Age != time.Minute || got.Keys != 1 || h.asked.Load() != before {
				t.Errorf("taken over as %+v, with %d requests", got, h.asked.Load()-before)
			}
			first.Close()
			wantKids(t, keysOf(next).Await(t.Context(), "b"), "a")
			if h.asked.Load() != before+1 {
				t.Error("the taken over source asks no more")
			}
		})
	}
}

// TestReloadDuringFetch: the fetch that the old one began counts for the new one.
func TestReloadDuringFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "a")))
		c := remote.Config{Client: b.client()}
		c.Previous = mustOpen(t, c, urlSpec("https://a.example/jwks"))
		time.Sleep(time.Hour)
		b.now(hang)
		keysOf(c.Previous).Await(t.Context(), "b") // gives up waiting before the fetch ends
		b.now(gives(mustDocument(t, "a", "b")))
		next := mustOpen(t, c, urlSpec("https://a.example/jwks"))
		stop := run(t, next)
		defer stop()
		wantKids(t, keysOf(next).Await(t.Context(), "b"), "a")
		time.Sleep(remoteMinRefetch)
		synctest.Wait()
		wantKids(t, keysOf(next).Set(), "a b")
		if asked := b.times(); len(asked) != 3 || asked[2].Sub(asked[1]) != remoteMinRefetch {
			t.Errorf("asked at %v", asked)
		}
	})
}

// TestOpenFaults: everything that is wrong, at once, each with its issuer.
func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "short"), "canary-canary\n")
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	_, err := remote.Open(t.Context(), []remote.Spec{
		{Issuer: "one", JWKSFile: "missing.json"},
		{Issuer: "two", HS256SecretFile: "short"},
		{Issuer: "three", KeyFile: "sub"},
		{Issuer: "four", KeyFile: filepath.Join(dir, "short")},
		{Issuer: "five", JWKSFile: "short"},
		urlSpec("http://127.0.0.1:1/"),
	}, remote.Config{Dir: dir})
	wantError(t, err, `issuer "one": jwks_file `+dir+"/missing.json: no such file", `issuer "two": hs256_secret_file `, "at least 32 bytes",
		`issuer "three": key_file `, "is not a file", `issuer "four": key_file `, "no PEM block", `issuer "five": jwks_file `, "not valid JSON")
	if err != nil && strings.Contains(err.Error(), "canary") {
		t.Errorf("the error shows a file: %v", err)
	}
	_, err = remote.Open(t.Context(), []remote.Spec{{Issuer: "x"}, {Issuer: "x", JWKSURL: "ftp://h"}}, remote.Config{MinRefetch: -1, HardAge: time.Second})
	wantError(t, err, "negative", "too old", `issuer "x": names 0 key sources`, `issuer "x": jwks_url does not begin`, `issuer "x": is named twice`)
}

// TestIssuers: what a Spec says arrives where tokens are checked.
func TestIssuers(t *testing.T) {
	h := mustHost(t, says(mustDocument(t, "a")))
	full := remote.Spec{
		Issuer: issuerA, JWKSURL: h.URL, Audiences: []string{"api"}, Algorithms: []keys.Algorithm{keys.ES256}, Leeway: time.Second,
		MaxLifetime: time.Hour, SubjectClaim: "uid", Typ: []string{"jwt"}, BeforeStore: "refuse",
		Legacy: remote.Legacy{NoKid: true, NoIss: true, NoAud: true, NoJti: true, NoTokenType: true},
	}
	i := mustOpen(t, remote.Config{}, full, remote.Spec{Issuer: "https://b.example", JWKSURL: h.URL, NoLeeway: true})
	got := i.Issuers()
	if v, err := token.New(token.Config{Issuers: got}); err != nil || v == nil {
		t.Fatalf("the verifier refuses the issuers: %v", err)
	}
	a, b := got[0], got[1]
	if a.Name != issuerA || a.Audiences[0] != "api" || a.Algorithms[0] != keys.ES256 || a.Leeway != time.Second || a.MaxLifetime[""] != time.Hour ||
		a.SubjectClaim != "uid" || a.Types[0] != "jwt" || !a.RefuseBeforeStore || a.Own ||
		a.Legacy != (token.Legacy{NoKID: true, NoIssuer: true, NoAudience: true, NoJTI: true, NoTokenType: true}) {
		t.Errorf("the first issuer is %+v", a)
	}
	if b.Name != "https://b.example" || b.RefuseBeforeStore || b.MaxLifetime != nil || b.Legacy != (token.Legacy{}) || b.Leeway != 0 || !b.NoLeeway || a.NoLeeway {
		t.Errorf("the second issuer is %+v", b)
	}
	// Each has its own keys, though the same address serves both.
	ka, _ := a.Keys.Set().Key("a")
	kb, _ := b.Keys.Set().Key("a")
	if ka == nil || kb == nil || ka == kb {
		t.Error("two issuers share one key")
	}
	if h.asked.Load() != 2 {
		t.Errorf("%d requests, want one for each issuer", h.asked.Load())
	}
}

func TestParserThatPanics(t *testing.T) {
	if err := remote.PanickingParser(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
}

func TestBrief(t *testing.T) {
	long := strings.Repeat("ä", 1000)
	got := remote.Brief("one", long, "three", "four", "five", "six")
	if len(got) > 300 || !strings.Contains(got, "and 2 more") || !strings.HasPrefix(got, "one; ää") {
		t.Errorf("brief is %q", got)
	}
}

func BenchmarkSet(b *testing.B) {
	i := mustOpen(b, remote.Config{}, urlSpec(mustHost(b, says(mustDocument(b, "a"))).URL))
	source := keysOf(i)
	b.ReportAllocs()
	for b.Loop() {
		if _, found := source.Set().Key("a"); !found {
			b.Fatal("no key")
		}
	}
}
