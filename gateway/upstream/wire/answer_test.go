package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"tollgate/gateway/upstream/wire"
	"tollgate/internal/testkit"
)

const head200 = "HTTP/1.1 200 OK\r\n"

// TestAnswers: what is read, and whether its connection may serve again.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	for _, row := range []struct {
		name, method, answer string
		status               int
		body                 string
		kept                 bool
	}{
		{"a length", "GET", head200 + "Content-Length: 5\r\n\r\nhello", 200, "hello", true},
		{"no phrase", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", true},
		{"an empty phrase", "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", true},
		{"chunks", "GET", head200 + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n", 200, "hello world", true},
		{"capital digits", "GET", head200 + "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789", true},
		{"a long body", "GET", head200 + "Content-Length: 102400\r\n\r\n" + long, 200, long, true},
		{"a long chunk", "GET", head200 + "Transfer-Encoding: chunked\r\n\r\n19000\r\n" + long + "\r\n0\r\n\r\n", 200, long, true},
		{"to its end", "GET", head200 + "\r\nhello", 200, "hello", false},
		{"said close", "GET", head200 + "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"HEAD with a length", "HEAD", head200 + "Content-Length: 5\r\n\r\n", 200, "", true},
		{"HEAD in chunks", "HEAD", head200 + "Transfer-Encoding: chunked\r\n\r\n", 200, "", true},
		{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", false},
		{"204 in chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "", false},
		{"204 with a length of none", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", true},
		{"HEAD of a 204", "HEAD", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", true},
		{"HEAD with a body all the same", "HEAD", head200 + "Content-Length: 5\r\n\r\nhello", 200, "", false},
		{"more than its length", "GET", head200 + "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", 200, "ok", false},
		{"five before it", "GET", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 5) + head200 + "Content-Length: 2\r\n\r\nok", 200, "ok", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := mustSay(t, row.answer, row.name == "to its end")
			p := b.pool(t)
			for range 3 {
				r := get()
				r.Method = row.method
				status, body, err := ask(t, p, r)
				if err != nil || status != row.status || body != row.body {
					t.Fatalf("%d, %d bytes, %v", status, len(body), err)
				}
				if row.kept {
					testkit.MustAwait(t, "the connection to rest", func() bool { return p.Idle() == 1 })
				}
			}
			want := int64(3)
			if row.kept {
				want = 1
			}
			if n := b.conns.Load(); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

// TestRefusedAnswers: what two readers could read differently is nobody's answer,
// and its connection is not used again.
func TestRefusedAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"length and chunks":       head200 + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":             head200 + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"a list of lengths":       head200 + "Content-Length: 5, 5\r\n\r\nhello",
		"a negative length":       head200 + "Content-Length: -1\r\n\r\n",
		"a signed length":         head200 + "Content-Length: +5\r\n\r\nhello",
		"an endless length":       head200 + "Content-Length: 9223372036854775808\r\n\r\nhello",
		"an empty length":         head200 + "Content-Length:\r\n\r\n",
		"another coding":          head200 + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":           head200 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks of HTTP/1.0":      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a bare LF":               "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"a bare LF in the header": head200 + "A: b\nContent-Length: 0\r\n\r\n",
		"a bare CR":               head200 + "A: b\rC: d\r\nContent-Length: 0\r\n\r\n",
		"a folded line":           head200 + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
		"a blank before a colon":  head200 + "Content-Length : 0\r\n\r\n",
		"no name":                 head200 + ": b\r\n\r\n",
		"no colon":                head200 + "what\r\n\r\n",
		"a NUL":                   head200 + "A: b\x00c\r\nContent-Length: 0\r\n\r\n",
		"a number of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
		"a number too low":        "HTTP/1.1 099 No\r\n\r\n",
		"another version":         "HTTP/2.0 200 OK\r\n\r\n",
		"another protocol":        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"six before it":           strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 6) + head200 + "Content-Length: 0\r\n\r\n",
		"a length before it":      "HTTP/1.1 103 Early\r\nContent-Length: x\r\n\r\n" + head200 + "Content-Length: 0\r\n\r\n",
		"a body before it":        "HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\n" + head200 + "Content-Length: 0\r\n\r\n",
		"chunks before it":        "HTTP/1.1 103 Early\r\nTransfer-Encoding: chunked\r\n\r\n" + head200 + "Content-Length: 0\r\n\r\n",
		"a switch":                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"a header without end":    head200 + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 70) + "\r\n",
		"fields without end":      head200 + strings.Repeat("A: b\r\n", 1100) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := mustSay(t, answer, false).pool(t)
			if status, _, err := ask(t, p, get()); err == nil {
				t.Fatalf("accepted as %d", status)
			} else if !errors.Is(err, wire.ErrProtocol) && !errors.Is(err, wire.ErrSwitched) {
				t.Errorf("%v, want a fault of the protocol", err)
			}
			if n := p.Idle(); n != 0 {
				t.Errorf("%d connections were kept", n)
			}
		})
	}
}

// TestBrokenBodies: a body that does not come to its end is never taken for whole.
func TestBrokenBodies(t *testing.T) {
	chunked := head200 + "Transfer-Encoding: chunked\r\n\r\n"
	for name, row := range map[string]struct {
		answer string
		want   error
	}{
		"shorter than its length": {head200 + "Content-Length: 9\r\n\r\nhello", io.ErrUnexpectedEOF},
		"within a chunk":          {chunked + "9\r\nhello", io.ErrUnexpectedEOF},
		"without a last chunk":    {chunked + "5\r\nhello\r\n", io.ErrUnexpectedEOF},
		"without the last line":   {chunked + "5\r\nhello\r\n0\r\n", io.ErrUnexpectedEOF},
		"a chunk too long":        {chunked + "4\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a chunk with a bare LF":  {chunked + "5\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a size that is none":     {chunked + "x\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"more behind a blank":     {chunked + "5 a\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"no size":                 {chunked + "\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a size with 0x":          {chunked + "0x5\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a negative size":         {chunked + "-5\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a size beyond counting":  {chunked + "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"an endless extension":    {chunked + "5;" + strings.Repeat("a", 5000) + "\r\nhello\r\n0\r\n\r\n", wire.ErrProtocol},
		"a trailer of nonsense":   {chunked + "0\r\nwhat\r\n\r\n", wire.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustSay(t, row.answer, true).pool(t)
			if _, body, err := ask(t, p, get()); !errors.Is(err, row.want) {
				t.Errorf("body %q, %v, want %v", body, err, row.want)
			}
			if n := p.Idle(); n != 0 {
				t.Errorf("%d connections were kept", n)
			}
		})
	}
}

// TestTrailer: fields behind the body are handed on, but for those that frame or
// route a message.
func TestTrailer(t *testing.T) {
	p := mustSay(t, head200+"Transfer-Encoding: chunked\r\nTrailer: Grpc-Status\r\n\r\n2\r\nok\r\n0\r\ngrpc-status: 0\r\nContent-Length: 7\r\nX: y\r\n\r\n", false).pool(t)
	a, err := p.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := io.ReadAll(a); err != nil {
		t.Fatal(err)
	}
	if got := a.Trailer(); len(got) != 2 || got[0] != (wire.Field{Name: "Grpc-Status", Value: "0"}) || got[1].Name != "X" {
		t.Errorf("%v", got)
	}
}
