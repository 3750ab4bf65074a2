package gateway

import (
	"net/http"
	"testing"
)

// An early hint of the back end takes nothing of ours from the answer.
func TestEarlyHintsKeepTheAnswersHeader(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: corsRoutes, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusOK)
	}})
	res, _ := e.get(t, "GET", "/", append(bearerOf(e.token(t)), "Origin", "https://app.example")...)
	h := res.Header
	if res.StatusCode != 200 || len(h["X-Request-Id"]) != 1 || h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Vary") != "Origin" {
		t.Errorf("%d %v", res.StatusCode, h)
	}
	if got := e.requests()[0].Header.Get("X-Request-Id"); got != h.Get("X-Request-Id") {
		t.Errorf("the back end saw the id %q", got)
	}
}
