package upstream

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An answer ends before the request's body does, and whoever sends the body does
// not let it be closed (ReverseProxy does not): closing the answer does not wait
// for it.
func TestAnswerEndsBeforeTheBody(t *testing.T) {
	s := mustH2C(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "9")
		if strings.HasSuffix(r.URL.Path, "stay") {
			_, _ = io.WriteString(w, "hello")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
	for _, path := range []string{"/end", "/stay"} {
		u := mustUpstream(t, Config{URLs: []string{s.URL}, HTTP2: true})
		out, in := io.Pipe()
		t.Cleanup(func() { _ = in.Close() })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, io.NopCloser(out))
		if err != nil {
			t.Fatal(err)
		}
		res, err := u.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if path == "/end" {
			if _, err := io.ReadAll(res.Body); err != nil || res.Trailer.Get("Grpc-Status") != "9" {
				t.Errorf("%v, trailer %v", err, res.Trailer)
			}
		}
		closed := make(chan error, 1)
		go func() { closed <- res.Body.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: Close waits for the body", path)
		}
	}
}
