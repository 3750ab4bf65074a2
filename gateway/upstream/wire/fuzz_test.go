package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// said is a connection on which a back end has said all that it will, in pieces.
type said struct {
	net.Conn
	text  string
	piece int
}

func (s *said) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p, s.text[:min(len(s.text), s.piece)])
	s.text = s.text[n:]
	return n, nil
}

func (s *said) Write(p []byte) (int, error)     { return len(p), nil }
func (s *said) Close() error                    { return nil }
func (s *said) SetDeadline(time.Time) error     { return nil }
func (s *said) SetReadDeadline(time.Time) error { return nil }

// noDescriptor lets everything be sent by Write and read by Read.
type noDescriptor struct{}

func (noDescriptor) Control(func(uintptr)) error    { return nil }
func (noDescriptor) Read(func(uintptr) bool) error  { return nil }
func (noDescriptor) Write(func(uintptr) bool) error { return nil }

// outcome is what a reader made of an answer.
type outcome struct {
	status  int
	header  http.Header
	body    string
	trailer http.Header
	left    string // behind it
	closes  bool   // left belongs to nobody
}

// ours reads an answer as this package does.
func ours(t *testing.T, method, text string, piece int) (o outcome, err error) {
	p := NewPool(Config{})
	nc := &said{text: text, piece: piece}
	c := &conn{Conn: nc, raw: noDescriptor{}, pool: p, buf: make([]byte, bufferSize)}
	c.cancel = func() {}
	a, err := c.answer(t.Context(), &Request{Method: method, Target: "/", Host: "x"}, 0)
	if err != nil {
		return o, err
	}
	a.pool, a.ctx, a.stop = p, t.Context(), func() bool { return true }
	o.status, o.header, o.trailer, o.closes = a.Status, http.Header{}, http.Header{}, a.framing.closes
	for _, f := range a.Fields() {
		o.header[f.Name] = append(o.header[f.Name], f.Value)
	}
	body, err := io.ReadAll(a)
	for _, f := range a.Trailer() {
		o.trailer[f.Name] = append(o.trailer[f.Name], f.Value)
	}
	o.body, o.left = string(body), string(c.buffered())+nc.text
	return o, err
}

// standard reads it as net/http does.
func standard(method, text string) (o outcome, err error) {
	in := bufio.NewReader(strings.NewReader(text))
	var res *http.Response
	for res == nil || res.StatusCode < 200 {
		if res, err = http.ReadResponse(in, &http.Request{Method: method}); err != nil {
			return o, err
		}
	}
	body, err := io.ReadAll(res.Body)
	rest, _ := io.ReadAll(in)
	return outcome{res.StatusCode, res.Header, string(body), res.Trailer, string(rest), res.Close}, err
}

// kept leaves out of a header what has been used up by its reader, or is not handed on.
func kept(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if !ofConnection(name) && len(values) > 0 {
			out[name] = values
		}
	}
	return out
}

// FuzzAnswer: whatever is taken here, net/http reads alike to the byte, and what
// follows the answer begins at the same place. The exceptions are kinds of answers
// that net/http finds fault with for reasons of its own.
func FuzzAnswer(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, text := range []string{
		ok + "Content-Length: 5\r\n\r\nhello", ok + "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", ok + "\r\nhello",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nA: b\r\n\r\nrest", ok + "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n5 x\r\nhello\r\n0\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n5 ;x\r\nhello\r\n0\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n0000a\r\n0123456789\r\n00\r\n\r\n", ok + "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 200\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ok + "A: b\r\n c\r\n\r\n", ok + "Pragma: no-cache\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n",
		"HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nok", ok + "A : b\r\n\r\n", ok + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			f.Add(method == http.MethodHead, text, uint8(7))
		}
	}
	f.Fuzz(func(t *testing.T, head bool, text string, piece uint8) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		got, err := ours(t, method, text, int(piece)+1)
		if err != nil {
			if !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrSwitched) && !errors.Is(err, io.ErrUnexpectedEOF) {
				if ended := (*EndedError)(nil); !errors.As(err, &ended) && !errors.Is(err, io.EOF) {
					t.Fatalf("%q: an unknown error: %v", text, err)
				}
			}
			return
		}
		want, err := standard(method, text)
		if err != nil {
			// A Trailer that announces a framing field, which nobody reads here, and
			// chunks of which most is their extensions.
			if strings.Contains(err.Error(), "bad trailer key") || strings.Contains(err.Error(), "too much overhead") {
				return
			}
			t.Fatalf("net/http refuses %q: %v", text, err)
		}
		if want.header["Cache-Control"] != nil && got.header["Cache-Control"] == nil {
			delete(want.header, "Cache-Control") // which net/http makes of a Pragma
		}
		if got.status != want.status || got.body != want.body || !reflect.DeepEqual(kept(got.header), kept(want.header)) ||
			!reflect.DeepEqual(kept(got.trailer), kept(want.trailer)) {
			t.Fatalf("%s %q:\ngot  %+v\nwant %+v", method, text, got, want)
		}
		if !got.closes && (want.closes || got.left != want.left) {
			t.Fatalf("%s %q: the connection is kept\ngot  %+v\nwant %+v", method, text, got, want)
		}
	})
}
