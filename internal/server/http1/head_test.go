package http1

import (
	"bufio"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const hostLine = "Host: a.example:8080\r\n"

// request lines and fields that are ordinary.
var ordinary = []string{
	"GET / HTTP/1.1\r\n" + hostLine,
	"HEAD /a/b.c~d$e&f+g,h=i@j:k HTTP/1.1\r\n" + hostLine,
	"GET /a?b=c%20d&e=%zz;f HTTP/1.1\r\n" + hostLine,
	"GET /? HTTP/1.1\r\n" + hostLine,
	"GET /a? HTTP/1.1\r\n" + hostLine,
	"GET /a?b? HTTP/1.1\r\n" + hostLine,
	"GET //a/b HTTP/1.1\r\n" + hostLine,
	"GET //a?b HTTP/1.1\r\n" + hostLine,
	"GET /a%2fb/%41 HTTP/1.1\r\n" + hostLine,
	"GET /a!b'(c)*;d HTTP/1.1\r\n" + hostLine,
	"GET /a#b HTTP/1.1\r\n" + hostLine,
	"DELETE /a/../b/./c\\d HTTP/1.1\r\n" + hostLine,
	"POST /a HTTP/1.1\r\ncontent-length: 3\r\nhOST: x\r\nX_Under: 1\r\n",
	"PUT /a HTTP/1.1\r\nContent-Length: 000003\r\nHost: [::1]:80\r\n",
	"PATCH /a HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n",
	"OPTIONS /a HTTP/1.1\r\nHost: x\r\nA: \t b \t \r\nA:\r\na: c  d\r\nB:x:y\r\n",
}

// heads that are for net/http to read or to refuse.
var unusual = []string{
	"GET * HTTP/1.1\r\n" + hostLine, "OPTIONS * HTTP/1.1\r\n" + hostLine, "GET http://a.example/ HTTP/1.1\r\n" + hostLine,
	"CONNECT a:1 HTTP/1.1\r\n" + hostLine, "TRACE / HTTP/1.1\r\n" + hostLine, "get / HTTP/1.1\r\n" + hostLine, "PRI * HTTP/2.0\r\n",
	"GET / HTTP/1.0\r\n" + hostLine, "GET / HTTP/2.0\r\n" + hostLine, "GET / HTTP/1.1 \r\n" + hostLine, "GET  / HTTP/1.1\r\n" + hostLine,
	"GET / http/1.1\r\n" + hostLine, "GET /\tHTTP/1.1\r\n" + hostLine, "GET /%zz HTTP/1.1\r\n" + hostLine, "GET /a\x01 HTTP/1.1\r\n" + hostLine,
	"GET /\x7f HTTP/1.1\r\n" + hostLine, "GET /ä HTTP/1.1\r\n" + hostLine, "GET /?ä HTTP/1.1\r\n" + hostLine, " GET / HTTP/1.1\r\n" + hostLine,
	"GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost:\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n", "GET / HTTP/1.1\r\nHost: a@b\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\tfolded\r\n", "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA : y\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA!: y\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nA: b\nB: c\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rB: c\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nA: ä\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", "POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: x\r\nContent-Length: 1\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nTrailer: A\r\n", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHTTP2-Settings: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-User-Id\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: X-User-Id\r\n", "\r\nGET / HTTP/1.1\r\n" + hostLine, "", "\x16\x03\x01",
}

func TestParse(t *testing.T) {
	for _, text := range ordinary {
		if _, ok := parse(text); !ok {
			t.Errorf("refused: %q", text)
		}
		sameAsStandard(t, text)
	}
	for _, text := range unusual {
		if _, ok := parse(text); ok {
			t.Errorf("taken: %q", text)
		}
	}
}

// sameAsStandard: what is taken is what net/http reads, in every part.
func sameAsStandard(t *testing.T, text string) {
	t.Helper()
	h, ok := parse(text)
	if !ok {
		return
	}
	want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text + "\r\n")))
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", text, err)
	}
	got := request(t.Context(), &conn{}, &h, &body{})
	if got.Method != want.Method || got.Host != want.Host || got.RequestURI != want.RequestURI || got.ContentLength != want.ContentLength ||
		got.Proto != want.Proto || got.Close != want.Close || !reflect.DeepEqual(got.URL, want.URL) || !reflect.DeepEqual(got.Header, want.Header) ||
		(got.Body == http.NoBody) != (want.Body == http.NoBody) || got.TransferEncoding != nil || got.Trailer != nil {
		t.Fatalf("%q:\ngot  %+v %+v\nwant %+v %+v", text, got, got.URL, want, want.URL)
	}
}

// A value that is changed, or one more, must not show in another field.
func TestFieldsShareNothing(t *testing.T) {
	h, _ := parse("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n")
	h.header.Add("B", "5")
	h.header["A"][0] = "6"
	h.header.Add("C", "7")
	want := http.Header{"A": {"6", "3"}, "B": {"2", "5"}, "C": {"4", "7"}}
	if !reflect.DeepEqual(h.header, want) {
		t.Errorf("%v", h.header)
	}
}

func TestBegins(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "G": true, "GET / HTTP/1.1\r": true, "GET / HTTP/1.1\r\nHost: x\r\n": true, "GET / HTTP/1.1\r\nHo": true,
		"\r\n": false, "\x16\x03": false, "get": false, "GET / HTTP/1.1\n": false, "GET / HTTP/1.1\r\nHost: x\n": false, "GET /\n\r\n": false,
	} {
		if begins([]byte(text)) != want {
			t.Errorf("%q: want %t", text, want)
		}
	}
}

// FuzzParse: whatever is taken, net/http reads alike.
func FuzzParse(f *testing.F) {
	for _, text := range append(ordinary, unusual...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if end := strings.Index(text, "\r\n\r\n"); end >= 0 {
			text = text[:end+2]
		} else if !strings.HasSuffix(text, "\r\n") {
			text += "\r\n"
		}
		sameAsStandard(t, text)
	})
}
