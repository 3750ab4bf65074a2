package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A key that leaves the set of a foreign issuer takes the streams with it that are
// open under it, though no feed names them: nobody else would end them before
// their token expires.
func TestStreamEndsWithItsForeignKey(t *testing.T) {
	f := mustForeign(t)
	_, other := mustKeyDocument(t)
	before := f.host.Config.Handler
	f.host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.mode.Load() == "left" {
			_, _ = w.Write(other)
			return
		}
		before.ServeHTTP(w, r)
	})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(backend.Close)
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers: [{issuer: %q, jwks_url: %q, audiences: [shop-api], algorithms: [ES256]}]\n", f.name, f.host.URL+"/jwks.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustSystem(t, "TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE="+file,
		"TOLLGATE_JWKS_REFRESH=1s", "TOLLGATE_JWKS_MIN_REFETCH=1s", "TOLLGATE_UPSTREAM="+backend.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Public+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token(f.forge.active.ID))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	hello := make([]byte, len("data: hello\n\n"))
	if _, err := io.ReadFull(res.Body, hello); err != nil || res.StatusCode != 200 {
		t.Fatalf("%d %q %v", res.StatusCode, hello, err)
	}
	f.mode.Store("left")
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q %v: want the stream's regular end", rest, err)
	}
	s.eventually("the log says why", 20*time.Second, func() bool {
		return strings.Contains(s.logs.String(), `"reason":"unknown_key"`)
	})
}
