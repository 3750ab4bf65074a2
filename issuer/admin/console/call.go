package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// refusal is a problem of the API (RFC 9457).
type refusal struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// Error implements error.
func (r *refusal) Error() string {
	if r.Detail != "" {
		return r.Detail
	}
	return r.Title
}

// absent reports whether the process that was asked does not have what an endpoint
// is about: a role is off, or this version has no such endpoint.
func absent(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.Status == http.StatusNotFound && (r.Code == "not_here" || r.Code == "no_such_endpoint")
}

// answer keeps what the API writes. Under it is the page's own writer, so that the
// API finds the request's id and the client's address there, as it does elsewhere.
type answer struct {
	http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Unwrap leads to the page's own writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// call asks the API as who is logged in. The answer is decoded into what is not nil.
func (v *visit) call(method, path string, body, into any) error {
	return v.callAs(v.session.token, method, path, body, into)
}

func (v *visit) callAs(token, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return fmt.Errorf("encode the body for %s: %w", path, err)
		}
	}
	ctx := context.WithValue(v.r.Context(), fromConsole{}, true)
	r, err := http.NewRequestWithContext(ctx, method, path, &text)
	if err != nil {
		return fmt.Errorf("ask the admin API: %w", err)
	}
	r.Host, r.RemoteAddr, r.RequestURI = v.r.Host, v.r.RemoteAddr, r.URL.RequestURI()
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", v.r.UserAgent())
	a := &answer{ResponseWriter: v.w, header: http.Header{}}
	v.console.API.ServeHTTP(a, r)
	if a.status >= 400 {
		refused := &refusal{}
		if err := json.Unmarshal(a.body.Bytes(), refused); err != nil || refused.Title == "" {
			refused.Title = http.StatusText(a.status)
		}
		refused.Status = a.status
		return refused
	}
	if into == nil || a.body.Len() == 0 {
		return nil
	}
	decoder := json.NewDecoder(&a.body)
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// list is a page of any list of the API.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// isOver reports whether the token of the log-in is no longer taken.
func isOver(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.Status == http.StatusUnauthorized
}

// missing reports whether the API knows nothing of that name.
func missing(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.Status == http.StatusNotFound && !absent(err)
}
