package interop

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Backend is an application that answers with what it was sent.
type Backend struct {
	Addr string // host:port
	URL  string
	hits atomic.Int64
}

// Seen is a request as it reached the back end.
type Seen struct {
	Method, URI, Host, Body string
	Header                  http.Header
}

// MustBackend starts a back end that ends with the test. It speaks HTTP/1.1 and,
// with prior knowledge, HTTP/2.
func MustBackend(t *testing.T) *Backend {
	t.Helper()
	b := &Backend{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	b.URL, b.Addr = s.URL, s.Listener.Addr().String()
	return b
}

func (b *Backend) serve(w http.ResponseWriter, r *http.Request) {
	b.hits.Add(1)
	body, _ := io.ReadAll(r.Body) // what is missing shows in the answer
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Seen{r.Method, r.RequestURI, r.Host, string(body), r.Header})
}

// Hits is how many requests have come.
func (b *Backend) Hits() int64 { return b.hits.Load() }

// Spelt returns the values of every header that a CGI or WSGI server would take
// for the one with this name: case and punctuation make no difference to it.
func (s Seen) Spelt(name string) []string {
	var values []string
	for other, list := range s.Header {
		if fold(other) == fold(name) {
			values = append(values, list...)
		}
	}
	return values
}

func fold(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
}
