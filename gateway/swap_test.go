package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Tables that are replaced under requests: each request goes by one table whole, to its
// back end and with its identity header and no other's, and is answered.
func TestSwapUnderRequests(t *testing.T) {
	e := mustEdge(t, edgeOptions{handler: func(w http.ResponseWriter, r *http.Request) {
		base, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if said, want := r.Header["X-Who"], map[string]string{"a": "42", "b": "jti-1"}[base]; len(said) != 1 || said[0] != want {
			t.Errorf("to %s with %q", r.URL.Path, said)
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("n"))
	}})
	var tables []string
	for name, claim := range map[string]string{"a": "user_id", "b": "jti"} {
		tables = append(tables, fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q]}}\nroutes: [{name: all, match: {path: /}, upstream: app, identity_headers: {X-Who: %s}}]\n",
			e.Backend.URL+"/"+name, claim))
	}
	swap := func(n int) {
		table, err := ReadRoutes([]byte(tables[n%2]), Defaults{UserIDClaim: "user_id", MaxStale: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		e.gateway.Swap(table)
	}
	swap(0)
	addr, bearer := (&arena{edge: e}).listen(t), e.token(t)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for i := range 200 {
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				want := fmt.Sprint(n*1000 + i)
				fmt.Fprintf(c, "GET /x?n=%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nX-Who: forged\r\n\r\n", want, bearer)
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if text, err := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || string(text) != want || err != nil {
					t.Errorf("%d %q %v, want %s", res.StatusCode, text, err, want)
				}
			}
		})
	}
	over := make(chan struct{})
	go func() { all.Wait(); close(over) }()
	for n := 1; ; n++ {
		select {
		case <-over:
			return
		case <-time.After(time.Millisecond):
			swap(n)
		}
	}
}
