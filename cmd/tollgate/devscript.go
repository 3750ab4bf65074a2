package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// step is one request of the demonstration, with what its answer must hold.
type step struct {
	title  string
	method string
	url    string
	header http.Header
	body   any
	status int
	// check looks further than the status; nil: nothing more.
	check func(body []byte) error
}

// script runs the demonstration and prints its transcript. Its error says which
// answer was not the expected one.
func (d *demo) script(ctx context.Context, w io.Writer) error {
	devWarning(w)
	var pair struct{ Access, Refresh string }
	err := run1(ctx, w, step{
		title: "log in", method: http.MethodPost, url: d.public + "/api/token/",
		body: map[string]string{"username": demoUser, "password": d.password}, status: http.StatusOK,
		check: func(body []byte) error { return json.Unmarshal(body, &pair) },
	})
	if err != nil {
		return err
	}
	call := step{
		title: "call the back end, with a forged identity header", method: http.MethodGet, url: d.public + "/hello",
		header: http.Header{"Authorization": {"Bearer " + pair.Access}, "X-User-Id": {"forged"}},
		status: http.StatusOK, check: identityOf("1"),
	}
	revoke := step{
		title: "revoke the token", method: http.MethodPost, url: d.control + "/admin/v1/revocations",
		header: http.Header{"Authorization": {"Bearer " + d.admin}},
		body:   map[string]string{"kind": "token", "value": pair.Access, "reason": "trying it out"}, status: http.StatusCreated,
	}
	again := call
	again.title, again.status, again.check = "call again", http.StatusUnauthorized, hasReason("revoked")
	for _, s := range []step{call, revoke, again} {
		if err := run1(ctx, w, s); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(w, "Each answer was the expected one.")
	return err
}

func run1(ctx context.Context, w io.Writer, s step) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var payload io.Reader
	if s.body != nil {
		encoded, err := json.Marshal(s.body)
		if err != nil {
			return exitWith(exitRefused, "%w", err)
		}
		payload = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, s.method, s.url, payload)
	if err != nil {
		return exitWith(exitRefused, "%w", err)
	}
	for name, values := range s.header {
		req.Header[name] = values
	}
	if s.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return exitWith(exitRefused, "%s: %w", s.title, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return exitWith(exitRefused, "%s: %w", s.title, err)
	}
	fmt.Fprintf(w, "# %s\n%s %s\n-> %s\n%s\n\n", s.title, s.method, s.url, res.Status, indent(body))
	if res.StatusCode != s.status {
		return exitWith(exitRefused, "%s: the answer was %d, expected %d", s.title, res.StatusCode, s.status)
	}
	if s.check != nil {
		if err := s.check(body); err != nil {
			return exitWith(exitRefused, "%s: %w", s.title, err)
		}
	}
	return nil
}

// indent shows a body, with long tokens cut: they are of no use to a reader.
func indent(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	if m, ok := v.(map[string]any); ok {
		for k, x := range m {
			if text, ok := x.(string); ok && len(text) > 100 {
				m[k] = text[:40] + "…"
			}
		}
	}
	text, err := json.MarshalIndent(v, "   ", "  ")
	if err != nil {
		return string(body)
	}
	return "   " + string(text)
}

// identityOf checks what the sample back end says that it saw.
func identityOf(id string) func([]byte) error {
	return func(body []byte) error {
		var seen struct{ Headers map[string]string }
		if err := json.Unmarshal(body, &seen); err != nil {
			return err
		}
		if got := seen.Headers["X-User-Id"]; got != id {
			return fmt.Errorf("the back end saw X-User-Id %q, expected %q", got, id)
		}
		return nil
	}
}

func hasReason(reason string) func([]byte) error {
	return func(body []byte) error {
		if !strings.Contains(string(body), `"reason":"`+reason+`"`) {
			return fmt.Errorf("the answer does not say that the reason is %s", reason)
		}
		return nil
	}
}
