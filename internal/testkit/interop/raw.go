package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Answer is the answer to a request that was sent byte by byte.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// MustSend sends "METHOD target" with these header lines over a connection of its
// own, as they stand: no client library puts the target or the names in order.
func MustSend(t *testing.T, addr, method, target string, lines ...string) Answer {
	t.Helper()
	return MustSendBody(t, addr, method, target, "", lines...)
}

// MustSendBody is MustSend with a body.
func MustSendBody(t *testing.T, addr, method, target, body string, lines ...string) Answer {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if body != "" {
		lines = append(lines[:len(lines):len(lines)], fmt.Sprintf("Content-Length: %d", len(body)))
	}
	lines = append([]string{method + " " + target + " HTTP/1.1", "Host: app.example.com"}, lines...)
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return Answer{res.StatusCode, res.Header, string(text)}
}

// MustSee returns the request as the back end saw it; the answer must be its own.
func (a Answer) MustSee(t *testing.T) Seen {
	t.Helper()
	var seen Seen
	if err := json.Unmarshal([]byte(a.Body), &seen); err != nil || a.Status != http.StatusOK {
		t.Fatalf("status %d, not the back end's answer: %s", a.Status, a.Body)
	}
	return seen
}

// Bearer is the header line of a token.
func Bearer(token string) string { return "Authorization: Bearer " + token }
