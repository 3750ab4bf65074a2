package gateway

import (
	"fmt"
	"strings"
)

// ask is a request without a body; lines are its fields.
func ask(target string, lines ...string) string { return send("GET", target, "", lines...) }

// send is a request with whatever body.
func send(method, target, body string, lines ...string) string {
	fields := ""
	for _, line := range lines {
		fields += line + "\r\n"
	}
	return method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body
}

const (
	hello   = "5\r\nhello\r\n0\r\n\r\n"
	chunked = "Transfer-Encoding: chunked"
	bearer  = "Authorization: Bearer {T}"
	length  = "Content-Length: {L}"
	// smuggled is what an attacker would have read as a request of its own.
	smuggled = "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n"
)

// framingAttacks leave open where a request ends: request smuggling, as in
// net/http CVE-2022-1705 and Skipper CVE-2026-50197.
func framingAttacks() []attack {
	post := func(body string, lines ...string) string { return send("POST", "/public/f", body, lines...) }
	anew := []string{"POST /public/f"}
	list := []attack{
		{"CL before TE", post(hello, "Content-Length: 4", chunked), "200 closed", anew, "hello"},
		{"TE before CL", post(hello, chunked, "Content-Length: 15"), "200 closed", anew, "hello"},
		{"CL.TE: the rest is a request of its own", post("0\r\n\r\n"+smuggled, "Content-Length: 41", chunked), "200 closed", anew, ""},
		{"TE.CL: the chunk is no request", post(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), "Content-Length: 4", chunked), "200 closed", anew, smuggled},
		{"TE.CL with CL 0", post(hello, "Content-Length: 0", chunked), "200 closed", anew, "hello"},
		{"CL.0: the body is no request", post(smuggled, length), "200", anew, smuggled},
		{"0.CL: a body of a GET is no request", send("GET", "/public/f", smuggled, length), "200", []string{"GET /public/f"}, smuggled},
		{"a body of a refused request is no request", send("POST", "/admin", smuggled, length), "401", nil, ""},
		{"a chunked body of a refused request is no request", send("POST", "/admin", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), chunked), "401", nil, ""},
		{"pipelined behind CL 0", post(smuggled, "Content-Length: 0"), "200 401", anew, ""},
		{"pipelined behind no framing", ask("/public/f") + smuggled, "200 401", []string{"GET /public/f"}, ""},
		{"TE chunked on a GET", send("GET", "/public/f", "0\r\n\r\n"+smuggled, chunked), "200 401", []string{"GET /public/f"}, ""},
		{"CL twice, equal", post("hello", "Content-Length: 5", "Content-Length: 5"), "200", anew, "hello"},
		{"CL twice, equal, in two cases", post("hello", "content-length: 5", "CONTENT-LENGTH: 5"), "200", anew, "hello"},
		{"CL twice, different", post("hello", "Content-Length: 5", "Content-Length: 6"), "400 closed", nil, ""},
		{"CL twice, one of 0", post(smuggled, "Content-Length: 0", "Content-Length: 37"), "400 closed", nil, ""},
		{"CL with leading zeros", post("hello", "Content-Length: 0005"), "200", anew, "hello"},
		{"CL with a tab", post("hello", "Content-Length:\t5\t"), "200", anew, "hello"},
		{"CL folded", post("hello", "Content-Length:\r\n 5"), "200", anew, "hello"},
		{"Content_Length is none", post(smuggled, "Content_Length: 37"), "200 401", anew, ""},
		{"Transfer_Encoding is none", post(hello, "Transfer_Encoding: chunked"), "200 400 closed", anew, ""},
		{"Transfer.Encoding is none, and CL counts", post("hello", "Transfer.Encoding: chunked", "Content-Length: 5"), "200", anew, "hello"},
		{"TE and CL on HTTP/1.0: the end of the connection", "POST /public/f HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n25\r\n" + smuggled + "\r\n0\r\n\r\n", "200 closed", anew, "25\r\n"},
		{"TE on HTTP/1.0", "POST /public/f HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + hello, "200 400 closed", anew, ""},
	}
	for _, value := range []string{"5, 5", "5,6", "5 5", "5;5", "+5", "-5", "-0", "0x5", "5.0", "1e1", "5_0", "", "\"5\"", "٥", "99999999999999999999", "9223372036854775808", "5\x0b", "5\x00"} {
		list = append(list, attack{fmt.Sprintf("CL %q", value), post("hello", "Content-Length: "+value), "400 closed", nil, ""})
	}
	for _, value := range []string{"Chunked", "CHUNKED", " chunked", "\tchunked", "chunked ", "chunked\t", "\r\n chunked", "\r\n\tchunked"} {
		list = append(list, attack{fmt.Sprintf("TE %q", value), post(hello, "Transfer-Encoding:"+value), "200", anew, "hello"})
	}
	// net/http would answer these by itself with the 501 of RFC 9112 section 6.1.
	for _, value := range []string{
		"xchunked", "chunkedx", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked, identity", "identity, chunked", "chunked,", ",chunked",
		"chunked;q=1", "\"chunked\"", "'chunked'", "chunked chunked", "", "cow", "chun\u212aed", "chunked\r\n gzip",
	} {
		list = append(list, attack{fmt.Sprintf("TE %q", value), post(hello, "Transfer-Encoding: "+value), "400 closed", nil, ""})
	}
	for _, lines := range [][]string{
		{chunked, chunked}, {chunked, "Transfer-Encoding: identity"}, {"Transfer-Encoding: x", chunked}, {"transfer-encoding: chunked", "TRANSFER-ENCODING: cow"},
	} {
		list = append(list, attack{"TE twice: " + strings.Join(lines, ", "), post(hello, lines...), "400 closed", nil, ""})
	}
	for _, line := range []string{
		"Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding: \x0bchunked",
		"Transfer-Encoding: chunked\r", "Transfer-Encoding\x00: chunked", "Content-Length : 5", "Content-Length\v: 5", "Content Length: 5", "X: y\rTransfer-Encoding: chunked",
	} {
		list = append(list, attack{fmt.Sprintf("line %q", line), post(hello, line), "400 closed", nil, ""})
	}
	return list
}

// chunkAttacks are malformed or doubtful chunked bodies (net/http CVE-2025-22871).
func chunkAttacks() []attack {
	post := func(body string, lines ...string) string {
		return send("POST", "/public/c", body, append(lines, chunked)...)
	}
	anew := []string{"POST /public/c"}
	list := []attack{
		{"extension", post("5;x=y\r\nhello\r\n0;z\r\n\r\n"), "200", anew, "hello"},
		{"extension with an open quote", post("5;x=\"\r\nhello\r\n0\r\n\r\n"), "200", anew, "hello"},
		{"extension that looks like a request", post("5;GET /admin HTTP/1.1\r\nhello\r\n0\r\n\r\n"), "200", anew, "hello"},
		{"size in upper case with zeros", post("00A\r\n0123456789\r\n000\r\n\r\n"), "200", anew, "0123456789"},
		{"blank behind the size", post("5 \r\nhello\r\n0\r\n\r\n"), "200", anew, "hello"},
		{"two chunks, the second a request", post(fmt.Sprintf("1\r\nx\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)), "200", anew, "x" + smuggled},
		{"forged trailer", post("5\r\nhello\r\n0\r\nX-User-Id: forged\r\n\r\n"), "200", anew, "hello"},
		{"forged trailer, announced", post("5\r\nhello\r\n0\r\nX-User-Id: forged\r\nX_User_Id: forged\r\nX-Forwarded-For: forged\r\n\r\n", "Trailer: X-User-Id, X_User_Id, X-Forwarded-For", "TE: trailers", "Connection: TE"), "200", anew, "hello"},
		{"framing in a trailer", post("5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\nHost: evil\r\n\r\n"), "200 closed", anew, "hello"},
		{"framing announced as a trailer", post("5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n", "Trailer: Content-Length"), "400 closed", nil, ""},
		{"a broken trailer goes no further", post("5\r\nhello\r\n0\r\nX User: 1\r\n\r\n"), "200", anew, "hello"},
		{"a request behind the last chunk", post(hello + smuggled), "200 401", anew, "hello"},
	}
	for _, size := range []string{
		"0x5", "5h", "-5", "+5", "", "g", " 5", "\t5", "5 5", "5,5", "5.", "\"5\"", "5\x00", "FFFFFFFFFFFFFFFFF", "10000000000000005", "00000000000000005", "٥", "5\r",
	} {
		list = append(list, attack{fmt.Sprintf("size %q", size), post(size + "\r\nhello\r\n0\r\n\r\n"), "400 closed", nil, ""})
	}
	for name, body := range map[string]string{
		"bare LF behind the size: CVE-2025-22871":     "5\nhello\r\n0\r\n\r\n",
		"bare LF in an extension: CVE-2025-22871":     "5;x\nhello\r\n0\r\n\r\n",
		"bare LF behind the data":                     "5\r\nhello\n0\r\n\r\n",
		"bare LF behind the last size":                "5\r\nhello\r\n0\n\r\n",
		"bare CR behind the data":                     "5\r\nhello\r0\r\n\r\n",
		"data longer than its size":                   "5\r\nhello!\r\n0\r\n\r\n",
		"data shorter than its size":                  "6\r\nhello\r\n0\r\n\r\n",
		"no line behind the data":                     "5\r\nhello0\r\n\r\n",
		"a trailer without a colon":                   "5\r\nhello\r\n0\r\nX-User\r\n\r\n",
		"an extension without end":                    "5;" + strings.Repeat("x", 5000) + "\r\nhello\r\n0\r\n\r\n",
		"more overhead than data":                     strings.Repeat("1;"+strings.Repeat("x", 200)+"\r\ny\r\n", 200) + "0\r\n\r\n",
		"the first chunk good, the second a bad size": "5\r\nhello\r\nzz\r\n",
		"the first chunk good, then a request":        "5\r\nhello\r\n" + smuggled,
		"a NUL in the line of a size":                 "\x005\r\nhello\r\n0\r\n\r\n",
	} {
		list = append(list, attack{name, post(body), "400 closed", nil, ""})
	}
	return list
}
