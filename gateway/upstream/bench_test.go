package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// BenchmarkRoundTrip compares the pool with the bare transport under it: the
// difference is the price of choosing, watching and counting.
func BenchmarkRoundTrip(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer s.Close()
	base, err := url.Parse(s.URL)
	if err != nil {
		b.Fatal(err)
	}
	u, err := New(Config{Name: "app", URLs: []string{s.URL, s.URL}})
	if err != nil {
		b.Fatal(err)
	}
	defer u.Close()
	bare := &http.Transport{Protocols: u.requests.Protocols, DisableCompression: true}
	defer bare.CloseIdleConnections()
	for name, by := range map[string]http.RoundTripper{"pool": u, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			r := &http.Request{Method: http.MethodGet, URL: base, Header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				res, err := by.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
}
