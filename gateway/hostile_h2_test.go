package gateway

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// field is one line of HTTP/2's header, as it is written: net/http's own client
// would refuse to send most of these.
type field [2]string

// h2attack is one stream of a hostile HTTP/2 connection.
type h2attack struct {
	name   string
	fields []field
	data   string  // "" is no DATA frame
	more   []field // trailers
	want   string  // a status, or "reset" when the stream or the connection ends
	arrive []string
}

// h2 is a request's four pseudo headers and what else is given; an empty value in
// front of it takes one away.
func h2(method, path, authority string, more ...field) []field {
	return append([]field{{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", authority}}, more...)
}

// h2frame is RFC 9113 section 4.1.
func h2frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	return string(binary.BigEndian.AppendUint32(append(head, flags), stream)) + payload
}

// hpack writes literals without indexing and without Huffman, RFC 7541 section
// 6.2.2.
func hpack(fields []field) string {
	var out []byte
	for _, f := range fields {
		out = append(out, 0)
		for _, text := range f {
			if len(text) < 127 {
				out = append(out, byte(len(text)))
			} else {
				out = append(out, 127)
				out = binary.AppendUvarint(out, uint64(len(text)-127))
			}
			out = append(out, text...)
		}
	}
	return string(out)
}

// status reads :status, the first field of an answer: an index, or digits in
// Huffman's code, RFC 7541 appendices A and B.
func status(block []byte) string {
	if known := []string{"200", "204", "206", "304", "400", "404", "500"}; block[0] >= 0x88 && block[0] < 0x8f {
		return known[block[0]-0x88]
	}
	value := block[2 : 2+block[1]&0x7f] // behind the name, which is an index, too
	if block[1]&0x80 == 0 {
		return string(value)
	}
	bits := ""
	for _, b := range value {
		bits += fmt.Sprintf("%08b", b)
	}
	digits := map[string]string{"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5", "011100": "6", "011101": "7", "011110": "8", "011111": "9"}
	out := ""
	for start, end := 0, 5; len(out) < 3 && end <= len(bits); end++ {
		if digit, known := digits[bits[start:end]]; known {
			out, start, end = out+digit, end, end+4
		}
	}
	return out
}

// h2 carries out one attack and returns what became of the stream.
func (a *arena) h2(t *testing.T, at h2attack) string {
	t.Helper()
	c := a.dial(t)
	defer c.Close()
	const endStream, endHeaders = 1, 4
	out := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2frame(4, 0, 0, "")
	for i := range at.fields {
		at.fields[i][1] = strings.ReplaceAll(at.fields[i][1], "{T}", a.token)
	}
	last := func(is bool) byte { return map[bool]byte{true: endStream}[is] }
	out += h2frame(1, endHeaders|last(at.data == "" && at.more == nil), 1, hpack(at.fields))
	if at.data != "" {
		out += h2frame(0, last(at.more == nil), 1, at.data)
	}
	if at.more != nil {
		out += h2frame(1, endHeaders|endStream, 1, hpack(at.more))
	}
	go func() { _, _ = io.WriteString(c, out) }()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c.in, head); err != nil {
			return "reset"
		}
		payload := make([]byte, binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
		if _, err := io.ReadFull(c.in, payload); err != nil {
			return "reset"
		}
		switch head[3] {
		case 1:
			return status(payload)
		case 3: // RST_STREAM
			return "reset"
		}
	}
}

func h2attacks() []h2attack {
	page, me := []string{"GET /public/2"}, []string{"42 GET /2"}
	token := field{"authorization", "Bearer {T}"}
	get := func(more ...field) []field { return h2("GET", "/public/2", "h", more...) }
	list := []h2attack{
		{name: "as it should be", fields: get(), want: "200", arrive: page},
		{name: "with a token", fields: h2("GET", "/2", "h", token), want: "200", arrive: me},
		{name: "without a token", fields: h2("GET", "/2", "h"), want: "401"},
		{name: "identity headers", fields: h2("GET", "/2", "h", token, field{"x-user-id", "forged"}, field{"x_user_id", "forged"}, field{"x-forwarded-for", "forged"}), want: "200", arrive: me},
		{name: "identity in trailers", fields: h2("POST", "/2", "h", token, field{"te", "trailers"}, field{"trailer", "x-user-id"}), data: "x", more: []field{{"x-user-id", "forged"}, {"x_user_id", "forged"}}, want: "200", arrive: []string{"42 POST /2"}},
		{name: "H2.CL: none, and there is one", fields: h2("POST", "/2", "h", field{"content-length", "0"}), data: smuggled, want: "reset|401"},
		{name: "H2.CL: less than there is", fields: h2("POST", "/public/2", "h", field{"content-length", "5"}), data: smuggled, want: "reset|400"},
		{name: "H2.CL: more than there is", fields: h2("POST", "/public/2", "h", field{"content-length", "99"}), data: smuggled, want: "reset|400"},
		{name: "H2.CL: of a request without a body", fields: get(field{"content-length", "5"}), want: "200", arrive: page},
		{name: "H2.CL: twice", fields: h2("POST", "/public/2", "h", field{"content-length", "5"}, field{"content-length", "6"}), data: "hello", want: "200", arrive: []string{"POST /public/2"}},
		{name: "H2.CL: no number", fields: h2("POST", "/2", "h", field{"content-length", "+5"}), data: "hello", want: "401|reset|400"},
		{name: "H2.TE", fields: h2("POST", "/public/2", "h", field{"transfer-encoding", "chunked"}), data: hello, want: "reset|400"},
		{name: "two tokens", fields: h2("GET", "/2", "h", token, token), want: "400"},
		{name: "two hosts", fields: h2("GET", "/2", "vip.example", token, field{"host", "open.example"}), want: "403|reset|400"},
		{name: "a host in the field alone", fields: []field{{":method", "GET"}, {":scheme", "http"}, {":path", "/2"}, {"host", "vip.example"}, token}, want: "403"},
		{name: "a cookie in crumbs, twice", fields: h2("GET", "/cookie", "h", field{"cookie", "access={T}"}, field{"cookie", "access=x"}), want: "400"},
		{name: "TE of another sort", fields: get(field{"te", "gzip"}), want: "reset|400"},
		{name: "extended CONNECT", fields: h2("CONNECT", "/ws", "h", token, field{":protocol", "websocket"}), want: "reset|400|405"},
		{name: "CONNECT", fields: []field{{":method", "CONNECT"}, {":authority", "h:80"}}, want: "405"},
		{name: "TRACE", fields: h2("TRACE", "/public/2", "h"), want: "405"},
		{name: "a method that the route does not take", fields: h2("delete", "/read", "h"), want: "405"},
		{name: "another scheme", fields: []field{{":method", "GET"}, {":scheme", "https"}, {":path", "/public/2"}, {":authority", "h"}}, want: "200|400|reset", arrive: page},
		{name: "no path", fields: []field{{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}, want: "reset|400"},
		{name: "two paths", fields: get(field{":path", "/admin"}), want: "reset|400"},
		{name: "two authorities", fields: get(field{":authority", "open.example"}), want: "reset|400"},
		{name: "an unknown pseudo header", fields: get(field{":user", "root"}), want: "reset|400"},
		{name: "a pseudo header behind a field", fields: []field{{":method", "GET"}, {":scheme", "http"}, {"x-a", "b"}, {":path", "/public/2"}, {":authority", "h"}}, want: "reset|400"},
		{name: "a pseudo header in trailers", fields: h2("POST", "/public/2", "h"), data: "x", more: []field{{":path", "/admin"}}, want: "reset|400"},
	}
	for _, path := range []string{"/public/../admin", "/public/%2e%2e/admin", "//admin", "/public//admin", "/admin;x", "/public/..%2fadmin", "/public\\..\\admin", "*", "", "public", "/public#/../admin", "/public /admin", "/public\t", "http://h/public/2", "/public HTTP/1.1\r\nX-User-Id: forged", "/public\x00", "/admin%00", "?/public"} {
		list = append(list, h2attack{name: fmt.Sprintf("path %q", path), fields: h2("GET", path, "h", token), want: "400|reset"})
	}
	for _, host := range []string{"open.example:x@vip.example", "vip.example@open.example", "open.example/", "open.example,vip.example", "open.example\r\nX-A: b", "op%65n.example", "vip.example..", "open.example x"} {
		list = append(list, h2attack{name: fmt.Sprintf("authority %q", host), fields: h2("GET", "/2", host, token), want: "400|reset"})
	}
	for _, f := range []field{
		{"x-a", "b\r\nx-user-id: forged"}, {"x-a", "b\nx-user-id: forged"}, {"x-a", "b\x00c"}, {"x-a: b\r\nx-user-id", "forged"}, {"X-User-Id", "forged"}, {"x user", "forged"}, {"x-user-id:", "forged"}, {"", "forged"}, {"x-usér", "forged"},
		{"connection", "x-user-id"}, {"connection", "upgrade"}, {"upgrade", "websocket"}, {"keep-alive", "x"}, {"proxy-connection", "x"}, {"transfer-encoding", "identity"},
	} {
		list = append(list, h2attack{name: fmt.Sprintf("field %q: %q", f[0], f[1]), fields: get(f), want: "400|reset"})
	}
	for _, method := range []string{"", "GET /admin HTTP/1.1\r\nX:", "G T", "GET\r\n", "G\x00T"} {
		list = append(list, h2attack{name: fmt.Sprintf("method %q", method), fields: h2(method, "/public/2", "h"), want: "400|reset|405"})
	}
	return list
}

// What HTTP/2 frames exactly and HTTP/1.1 does not must not become a request of
// its own on the way to the back end.
func TestHostileStreams(t *testing.T) {
	a := mustArena(t, edgeOptions{routes: hostileRoutes})
	for _, at := range h2attacks() {
		t.Run(at.name, func(t *testing.T) {
			before := a.victim.count()
			got := a.h2(t, at)
			if !slices.Contains(strings.Split(at.want, "|"), got) {
				t.Errorf("%s, want %s", got, at.want)
			}
			arrive := at.arrive
			if got != "200" {
				arrive = nil
			}
			a.arrivals(t, attack{arrive: arrive, body: at.data}, before)
			a.innocent(t, a.dial(t), "on a new connection")
			a.innocent(t, a.aside, "on another's connection")
		})
	}
	a.settled(t)
}
