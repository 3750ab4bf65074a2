package interop

import (
	"net/http"
	"testing"
)

// Status is that of one GET with a token (empty: without), over a connection of its
// own. It is 0 when there was no answer.
func Status(t *testing.T, url, token string) int {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// MustAnswerWith waits until a URL answers a token with this status.
func (p *Process) MustAnswerWith(url, token string, status int) {
	p.t.Helper()
	last := 0
	defer func() {
		if last != status {
			p.t.Logf("%s answered %d, not %d", url, last, status)
		}
	}()
	p.MustBecome("answering as it should at "+url, func() bool {
		last = Status(p.t, url, token)
		return last == status
	})
}
