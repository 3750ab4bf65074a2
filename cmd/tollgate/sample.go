package main

import (
	"encoding/json"
	"net/http"
)

// sampleUpstream is the back end of `tollgate dev`: it answers with what it was
// sent, so that one sees what a back end behind tollgate sees.
func sampleUpstream() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := map[string]string{}
		for name, values := range r.Header {
			if name == "Authorization" || name == "Cookie" { // an echo must not hand out credentials
				headers[name] = "(present)"
				continue
			}
			headers[name] = values[0]
		}
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(map[string]any{
			"upstream": "sample back end of tollgate dev", "method": r.Method, "path": r.URL.Path, "host": r.Host, "headers": headers,
		})
	})
}
