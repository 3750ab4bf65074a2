package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"time"
)

// user is the key of the caller's id in a request's context.
type user struct{}

// identified lets through what the gateway has named a caller for. The header is to be
// believed only because nobody but the gateway reaches this listener.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-User-Id")
		if id == "" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), user{}, id)))
	})
}

func main() {
	addr := flag.String("listen", "127.0.0.1:8000", "address; of loopback or a private network")
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("GET /who", identified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"user": r.Context().Value(user{})}) // the client may be gone
	})))
	server := &http.Server{Addr: *addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
