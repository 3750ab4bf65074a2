package remote_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/keys/remote"
)

// hostile are answers that are worth nothing, and must replace no set.
func hostile(tb testing.TB) map[string]http.HandlerFunc {
	good := mustDocument(tb, "evil")
	return map[string]http.HandlerFunc{
		"down": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":  status(http.StatusInternalServerError),
		"404":  status(http.StatusNotFound),
		"204":  status(http.StatusNoContent),
		"206": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, good)
		},
		"304 that nobody asked for": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				tb.Error("If-None-Match although no ETag was sent")
			}
			w.WriteHeader(http.StatusNotModified)
		},
		"nothing":            says(""),
		"garbage":            says("\x00\xff<html>not found</html>"),
		"a JSON array":       says("[]"),
		"an empty set":       says(`{"keys":[]}`),
		"no set":             says(`{}`),
		"keys null":          says(`{"keys":null}`),
		"text behind":        says(good + "x"),
		"keys twice":         says(strings.Replace(good, "{", `{"keys":[],`, 1)),
		"half of it":         says(good[:len(good)/2]),
		"a symmetric key":    says(`{"keys":[{"kty":"oct","kid":"x","alg":"HS256","k":"` + strings.Repeat("A", 64) + `"}]}`),
		"unknown types only": says(`{"keys":[{"kty":"AKP","kid":"x","alg":"ML-DSA-44","pub":"AAAA"}]}`),
		"a private key":      says(strings.Replace(good, `"kty"`, `"d":"AAAA","kty"`, 1)),
		"2 MiB":              says(with(good, `{"kty":"`+strings.Repeat("x", 2<<20)+`"}`)),
		"2 MiB in gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, with(good, `{"kty":"`+strings.Repeat("x", 2<<20)+`"}`))
			_ = z.Close()
		},
		"a body that breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, good)
		},
		"a megabyte of headers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			_, _ = io.WriteString(w, good)
		},
	}
}

// TestHostileAnswers: what is worth nothing gives no keys, and replaces none.
func TestHostileAnswers(t *testing.T) {
	for name, serve := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			h, c := mustHost(t, serve), newClock()
			i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
			if got := i.Status()[0]; got.Keys != 0 || got.Err == nil || !got.Seen.IsZero() || got.Failures != 1 {
				t.Errorf("at first: %+v, want no keys and an error", got)
			}
			h.now(says(mustDocument(t, "good")))
			c.Advance(remoteMinRefetch)
			wantKids(t, keysOf(i).Await(t.Context(), "good"), "good")
			seen := c.Now()
			h.now(serve)
			c.Advance(remoteMinRefetch)
			wantKids(t, keysOf(i).Await(t.Context(), "evil"), "good")
			if got := i.Status()[0]; got.Err == nil || !got.Seen.Equal(seen) || got.Age != remoteMinRefetch || got.Fetches != 3 || got.Failures != 2 {
				t.Errorf("after a good one: %+v, want an error and the old set", got)
			}
			if got := h.asked.Load(); got != 3 && name != "down" { // net/http asks a broken connection again
				t.Errorf("%d requests, want 3", got)
			}
		})
	}
}

// TestMixedSets: one bad key is left out alone.
func TestMixedSets(t *testing.T) {
	good := mustDocument(t, "good")
	tests := []struct{ name, document, want, log string }{
		{"unknown kty", with(good, `{"kty":"AKP","kid":"pq","alg":"ML-DSA-44","pub":"AAAA"}`), "good", "pq"},
		{"symmetric", with(good, `{"kty":"oct","kid":"s","k":"c2VjcmV0LWNhbmFyeQ"}`), "good", "private member"},
		{"private", with(good, `{"kty":"EC","kid":"p","crv":"P-256","x":"AA","y":"AA","d":"c2VjcmV0LWNhbmFyeQ"}`), "good", "private member"},
		{"for encryption", with(good, `{"kty":"EC","kid":"e","crv":"P-256","x":"AA","y":"AA","use":"enc"}`), "good", "not for signatures"},
		{"not even an object", with(good, `17`), "good", "left out"},
		{"weak", with(good, `{"kty":"RSA","kid":"w","n":"AQAB","e":"AQAB"}`), "good", "weak key"},
		{"101 keys", mustDocument(t, many(101)...), strings.Join(many(100), " "), "101 keys"},
		{"two keys, one kid", with(mustDocument(t, "x", "y"), strings.TrimSuffix(strings.TrimPrefix(mustDocument(t, "x"), `{"keys":[`), "]}")), "y", "same id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l logs
			h := mustHost(t, says(tt.document))
			i := mustOpen(t, remote.Config{Log: l.Logger()}, urlSpec(h.URL))
			wantKids(t, keysOf(i).Set(), tt.want)
			i.Refetch(issuerA)
			testkit.MustAwait(t, "fetched again", func() bool { return i.Status()[0].Fetches == 2 })
			i.Close() // the log lines come after the set
			if text := l.String(); !strings.Contains(text, tt.log) || strings.Count(text, "left out") != 1 || strings.Contains(text, "c2VjcmV0") {
				t.Errorf("the log is %q, want it with %q once and without key material", text, tt.log)
			}
		})
	}
}

// TestNotModified: a 304 makes the set young again and changes nothing else.
func TestNotModified(t *testing.T) {
	document, etag := mustDocument(t, "one"), `W/"v1"`
	var unchanged atomic.Int64
	h := mustHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == etag {
			unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", etag)
		_, _ = io.WriteString(w, document)
	})
	c := newClock()
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	first := keysOf(i).Set()
	for range 3 { // the tag must survive a 304
		c.Advance(remoteMinRefetch)
		if got := keysOf(i).Await(t.Context(), "other"); got != first {
			t.Error("a 304 made another set")
		}
		c.Advance(3 * remoteMinRefetch) // past what is remembered as missing
	}
	if got := i.Status()[0]; !got.Seen.Equal(c.Now().Add(-3*remoteMinRefetch)) || got.Err != nil {
		t.Errorf("after three 304: %+v", got)
	}
	if h.asked.Load() != 4 || unchanged.Load() != 3 {
		t.Errorf("%d requests and %d times 304, want 4 and 3", h.asked.Load(), unchanged.Load())
	}
}

// TestSameKeysStay: whoever compares keys must not lose them to a refresh.
func TestSameKeysStay(t *testing.T) {
	ks := mustKeys(t, "a", "b", "c")
	h, c := mustHost(t, says(documentOf(t, ks[0], ks[1]))), newClock()
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	first := keysOf(i).Set()
	look := func(document string) {
		h.now(says(document))
		c.Advance(10 * remoteMinRefetch)
		keysOf(i).Await(t.Context(), "c")
	}
	look(" " + documentOf(t, ks[0], ks[1]))
	if keysOf(i).Set() != first {
		t.Error("the same keys in other bytes made another set")
	}
	look(documentOf(t, ks[1], ks[2], mustKeys(t, "a")[0]))
	after := keysOf(i).Set()
	wantKids(t, after, "b c a")
	for _, kid := range []string{"a", "b"} {
		before, _ := first.Key(kid)
		now, _ := after.Key(kid)
		if same := before == now; same != (kid == "b") {
			t.Errorf("key %s: the same is %v", kid, same)
		}
	}
}

func TestRedirects(t *testing.T) {
	other := mustHost(t, says(mustDocument(t, "evil")))
	secure := httptest.NewTLSServer(says(mustDocument(t, "evil")))
	defer secure.Close()
	tests := []struct{ name, to, want, err string }{
		{"to another path", "/keys?x=1", "good", ""},
		{"by a full address", "SELF/keys", "good", ""},
		{"three times", "/3", "good", ""},
		{"four times", "/4", "", "more than 3 redirects"},
		{"for ever", "/", "", "more than 3 redirects"},
		{"to another port", other.URL + "/keys", "", "must keep scheme and host"},
		{"to another scheme", secure.URL + "/keys", "", "must keep scheme and host"},
		{"to a name of the same machine", "http://localhost:1/keys", "", "must keep scheme and host"},
		{"to a file", "file:///etc/passwd", "", "must keep scheme and host"},
		{"to nowhere", "", "", "302"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			document := mustDocument(t, "good")
			var h *host
			h = mustHost(t, func(w http.ResponseWriter, r *http.Request) {
				next := map[string]string{"/": strings.Replace(tt.to, "SELF", h.URL, 1), "/4": "/3", "/3": "/2", "/2": "/keys"}[r.URL.Path]
				if r.URL.Path == "/keys" {
					_, _ = io.WriteString(w, document)
					return
				}
				if next != "" {
					w.Header().Set("Location", next)
				}
				w.WriteHeader(http.StatusFound)
			})
			// A client whose own policy follows everything is kept in line too.
			client := secure.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
			defer client.CloseIdleConnections()
			i := mustOpen(t, remote.Config{Client: client}, urlSpec(h.URL+"/"))
			wantKids(t, keysOf(i).Set(), tt.want)
			if got := i.Status()[0]; tt.err != "" {
				wantError(t, got.Err, tt.err)
			}
		})
	}
	if other.asked.Load() != 0 {
		t.Error("another host was asked")
	}
}

// TestEndlessBody: reading ends where the document is too large, not at the
// deadline.
func TestEndlessBody(t *testing.T) {
	h := mustHost(t, func(w http.ResponseWriter, _ *http.Request) {
		for block := make([]byte, 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	wantError(t, mustOpen(t, remote.Config{}, urlSpec(h.URL)).Status()[0].Err, "larger than 1048576 bytes")
}

func TestRequest(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	var got http.Header
	var kept bool
	document := mustDocument(t, "a")
	h := mustHost(t, func(w http.ResponseWriter, r *http.Request) {
		got, kept = r.Header, !r.Close
		w.Header().Set("Content-Type", "text/html") // a common fault of servers
		_, _ = io.WriteString(w, document)
	})
	var l logs
	i := mustOpen(t, remote.Config{Log: l.Logger()}, urlSpec(h.URL+"/jwks?key=query-canary"))
	wantKids(t, keysOf(i).Set(), "a")
	if got.Get("User-Agent") != "tollgate" || !strings.Contains(got.Get("Accept"), "json") || got.Get("Cache-Control") != "" || kept {
		t.Errorf("the request's header is %v, its connection is kept: %v", got, kept)
	}
	h.now(status(http.StatusBadGateway))
	i.Refetch(issuerA)
	i.Close()
	s := i.Status()[0]
	if s.Source != "jwks_url "+h.URL+"/jwks" || strings.Contains(l.String()+s.Err.Error(), "canary") {
		t.Errorf("the query of the address is shown: %+v\n%s", s, l.String())
	}
}
