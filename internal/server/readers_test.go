package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/server"
)

// messages are what a client may send behind one another: ordinary ones, some for
// net/http, and such as end a connection.
var messages = []string{
	"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /b?c=d HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\nX_Y: z\r\n\r\n",
	"POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
	"GET /d HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\n\r\nGET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n",
	"DELETE /e HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
	"HEAD /f HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
	"PUT /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\n\r\nGET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n",
	"PUT /part HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\n\r\nGET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n",
	"PUT /part HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("p", 9000),
	"GET //g#h HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /%00%2f HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /long HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 6000) + "\r\n\r\n",
	// for net/http
	"GET http://y/i HTTP/1.1\r\nHost: x\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST /j HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	"POST /k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
	"GET /l HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /longer HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 9000) + "\r\n\r\n",
	"TRACE /m HTTP/1.1\r\nHost: x\r\n\r\n",
	// the end
	"GET /n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	"GET /n HTTP/1.0\r\n\r\n",
	"POST /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"POST /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
	"POST /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
	"POST /o HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello",
	"GET /o HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	"GET /o HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
	"GET /o HTTP/1.1\nHost: x\n\n",
	"PRI * HTTP/2.0\r\n\r\n",
	"GET /o HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 30000) + "\r\n\r\n",
	"GET /o HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 101) + "\r\n",
	"GET /o HTTP/1.1\r\nHo",
	"GET /p", // of less than four bytes net/http makes nothing behind another request
	"\x16\x03\x01\x00\x05hello",
}

var (
	dates  = regexp.MustCompile("Date: [^\r]*\r\n")
	fields = regexp.MustCompile("(?:[A-Z][A-Za-z-]*: [^\r]*\r\n)+") // whose order is a map's
)

// talk sends a stream cut into pieces, ends its half, and returns all that came back.
func talk(t *testing.T, addr, stream string, cuts []int, trust *tls.Config) string {
	t.Helper()
	var nc interface {
		net.Conn
		CloseWrite() error
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer raw.Close()
	if nc = raw.(*net.TCPConn); trust != nil {
		nc = tls.Client(raw, trust)
	}
	_ = nc.SetDeadline(time.Now().Add(2 * time.Minute))
	go func() {
		for _, n := range cuts {
			_, _ = io.WriteString(nc, stream[:n]) // the server may have had enough
			stream = stream[n:]
		}
		_ = nc.CloseWrite()
	}()
	all, _ := io.ReadAll(nc) // a reset behind the answer takes nothing from it
	return fields.ReplaceAllStringFunc(dates.ReplaceAllString(string(all), ""), func(head string) string {
		lines := strings.SplitAfter(head, "\r\n")
		slices.Sort(lines)
		return strings.Join(lines, "")
	})
}

// Whatever is sent, and however it is cut: with the two readers of one connection it
// comes to the same answers as with one alone.
func TestTwoReadersAgree(t *testing.T) {
	// No limit is to be met here, however busy the machine is.
	s := server.New(server.Config{ReadHeaderTimeout: time.Minute})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if len(r.TransferEncoding) > 0 { // or what one reader has read before decides: see framing.go
			w.Header().Set("Connection", "close")
		}
		var body []byte
		switch r.URL.Path {
		case "/unread":
		case "/part":
			body = make([]byte, 3)
			_, _ = io.ReadFull(r.Body, body)
		default:
			body, _ = io.ReadAll(r.Body)
		}
		fmt.Fprintf(w, "%s %s %s %d %q", r.Method, r.RequestURI, r.Host, len(r.Header), body)
	})
	f := mustFiles(t, "a.example")
	s.AddPublic("both", "127.0.0.1:0", h, nil)
	s.AddPublic("tls", "127.0.0.1:0", h, f.mustLoad(nil))
	s.Add("one", "127.0.0.1:0", h)
	r := mustRun(t, s)
	defer func() {
		r.stop()
		if err := r.mustEnd(); err != nil {
			t.Error(err)
		}
	}()
	rounds := 300
	if testing.Short() {
		rounds = 100
	}
	trust := &tls.Config{RootCAs: f.trusting().RootCAs, ServerName: "127.0.0.1", NextProtos: []string{"http/1.1"}}
	// Most streams end with half a second's linger.
	slots := make(chan struct{}, 32)
	var all sync.WaitGroup
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		var stream strings.Builder
		for range 1 + random.IntN(5) {
			stream.WriteString(messages[random.IntN(len(messages))])
		}
		var cuts []int
		most := 1 + random.IntN(4000)
		for left := stream.Len(); left > 0; left -= cuts[len(cuts)-1] {
			cuts = append(cuts, min(left, 1+random.IntN(most)))
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			want := talk(t, r.Addr("one").String(), stream.String(), cuts, nil)
			for name, trust := range map[string]*tls.Config{"both": nil, "tls": trust} {
				if got := talk(t, r.Addr(name).String(), stream.String(), cuts, trust); got != want {
					t.Errorf("seed %d, %s: %.3000q\ngot  %q\nwant %q", seed, name, stream.String(), got, want)
				}
			}
		})
	}
	all.Wait()
}
