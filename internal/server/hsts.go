package server

import (
	"net/http"
	"strconv"
	"time"
)

// HSTS tells browsers to come by TLS alone for maxAge, in whole seconds (RFC 6797
// section 6.1): it sets Strict-Transport-Security on every answer that goes out by
// TLS, in place of what a handler has set, for a browser heeds only the first. Over
// plain HTTP it must not be said (section 7.2). With a maxAge of 0 it does nothing.
func HSTS(h http.Handler, maxAge time.Duration) http.Handler {
	if maxAge <= 0 {
		return h
	}
	value := "max-age=" + strconv.FormatInt(int64(maxAge/time.Second), 10)
	set := func(h http.Header) { h["Strict-Transport-Security"] = []string{value} }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			h.ServeHTTP(w, r)
			return
		}
		hw := &writer{ResponseWriter: w, begin: set}
		h.ServeHTTP(hw, r)
		hw.start() // a handler that wrote nothing answers 200
	})
}
