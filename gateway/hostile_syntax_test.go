package gateway

import (
	"fmt"
	"strings"
)

// syntaxAttacks are requests whose lines two parsers could read differently.
func syntaxAttacks() []attack {
	const ok = "GET /public/s HTTP/1.1\r\n"
	arrived := []string{"GET /public/s"}
	list := []attack{
		{"bare LF throughout", "GET /public/s HTTP/1.1\nHost: h\nX-A: b\n\n", "200", arrived, ""},
		{"bare LF before a forgery", ok + "Host: h\r\nX-A: b\nX-User-Id: forged\r\n\r\n", "200", arrived, ""},
		{"folded value", ok + "Host: h\r\nX-A: b\r\n X-User-Id: 7\r\n\r\n", "200", arrived, ""},
		{"folded by a tab", ok + "Host: h\r\nX-A: b\r\n\tX-User-Id: 7\r\n\r\n", "200", arrived, ""},
		{"fold of nothing", ok + "Host: h\r\nX-A:\r\n \r\n\r\n", "200", arrived, ""},
		{"HTTP/1.0 without Host", "GET /public/s HTTP/1.0\r\n\r\n", "200 closed", arrived, ""},
		{"names outside [A-Za-z0-9-]", ok + "Host: h\r\nX_A: forged\r\nX.A: forged\r\nX~A: forged\r\nX!A: forged\r\nX'A: forged\r\nX*A: forged\r\n\r\n", "200", arrived, ""},
		{"no blank line between two requests", ok + "Host: h\r\n" + ok + "Host: h\r\n\r\n", "400 closed", nil, ""},
		{"preface of HTTP/2 cut short", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "400 closed", nil, ""},
		{"version 2.0", "GET /public/s HTTP/2.0\r\nHost: h\r\n\r\n", "400 closed", nil, ""},
		{"version 3.0", "GET /public/s HTTP/3.0\r\nHost: h\r\n\r\n", "400 closed", nil, ""},
		{"version 0.9", "GET /public/s HTTP/0.9\r\n\r\n", "400 closed", nil, ""},
	}
	for name, raw := range map[string]string{
		"CR alone ends lines":          "GET /public/s HTTP/1.1\rHost: h\r\r\n\r\n",
		"CR in a value":                ok + "Host: h\r\nX-A: b\rX-User-Id: forged\r\n\r\n",
		"CR CR LF":                     ok + "Host: h\r\r\n\r\n",
		"fold before the first field":  ok + " X-User-Id: forged\r\nHost: h\r\n\r\n",
		"tab before the first field":   ok + "\tHost: h\r\n\r\n",
		"fold of the Host":             ok + "Host: h\r\n .evil\r\n\r\n",
		"NUL in a name":                ok + "Host: h\r\nX\x00A: b\r\n\r\n",
		"NUL in a value":               ok + "Host: h\r\nX-A: b\x00c\r\n\r\n",
		"NUL in the target":            "GET /public/s\x00 HTTP/1.1\r\nHost: h\r\n\r\n",
		"DEL in a value":               ok + "Host: h\r\nX-A: b\x7f\r\n\r\n",
		"control character in a value": ok + "Host: h\r\nX-A: b\x08\r\n\r\n",
		"blank before the colon":       ok + "Host: h\r\nX-User-Id : forged\r\n\r\n",
		"tab before the colon":         ok + "Host: h\r\nX-User-Id\t: forged\r\n\r\n",
		"blank in a name":              ok + "Host: h\r\nX User-Id: forged\r\n\r\n",
		"no colon":                     ok + "Host: h\r\nX-User-Id\r\n\r\n",
		"no name":                      ok + "Host: h\r\n: forged\r\n\r\n",
		"name not ASCII":               ok + "Host: h\r\nX-Usér-Id: forged\r\n\r\n",
		"name with a soft hyphen":      ok + "Host: h\r\nX\u00adUser-Id: forged\r\n\r\n",
		"name in quotes":               ok + "Host: h\r\n\"X-User-Id\": forged\r\n\r\n",
		"name in brackets":             ok + "Host: h\r\nX[User]Id: forged\r\n\r\n",
		"leading CRLF":                 "\r\n" + ask("/public/s"),
		"leading LF":                   "\n" + ask("/public/s"),
		"leading blank":                " " + ask("/public/s"),
		"HTTP/0.9":                     "GET /public/s\r\n\r\n",
		"version in lower case":        "GET /public/s http/1.1\r\nHost: h\r\n\r\n",
		"version 1.10":                 "GET /public/s HTTP/1.10\r\nHost: h\r\n\r\n",
		"version 01.1":                 "GET /public/s HTTP/01.1\r\nHost: h\r\n\r\n",
		"version without a point":      "GET /public/s HTTP/11\r\nHost: h\r\n\r\n",
		"version +1.1":                 "GET /public/s HTTP/+1.1\r\nHost: h\r\n\r\n",
		"no version":                   "GET /public/s \r\nHost: h\r\n\r\n",
		"another protocol":             "GET /public/s ICY/1.1\r\nHost: h\r\n\r\n",
		"two blanks before the target": "GET  /public/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"two blanks behind the target": "GET /public/s  HTTP/1.1\r\nHost: h\r\n\r\n",
		"blank in the target":          "GET /public/s /admin HTTP/1.1\r\nHost: h\r\n\r\n",
		"blank behind the version":     "GET /public/s HTTP/1.1 \r\nHost: h\r\n\r\n",
		"tabs in the request line":     "GET\t/public/s\tHTTP/1.1\r\nHost: h\r\n\r\n",
		"vertical tab in the target":   "GET /public/\vs HTTP/1.1\r\nHost: h\r\n\r\n",
		"no method":                    " /public/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"method with a colon":          "GE:T /public/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"method with a slash":          "GET/ /public/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"method not ASCII":             "GÉT /public/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"TLS on the plain port":        "\x16\x03\x01\x00\x05hello\r\n\r\n",
		"another protocol's greeting":  "HELO example\r\n\r\n",
		"no target":                    "GET\r\nHost: h\r\n\r\n",
		"nothing but a line":           "\x00" + strings.Repeat("\r\n", 20),
		"a status line":                "HTTP/1.1 200 OK\r\nHost: h\r\n\r\n",
		"a byte order mark":            "\ufeff" + ask("/public/s"),
	} {
		list = append(list, attack{name, raw, "400 closed", nil, ""})
	}
	return list
}

// sizeAttacks are requests that are too much of something.
func sizeAttacks() []attack {
	long := strings.Repeat("a", 25<<10)
	many := make([]string, 200)
	for i := range many {
		many[i] = fmt.Sprintf("X-%d: y", i)
	}
	few := make([]string, 99)
	copy(few, many)
	return []attack{
		{"a long value", ask("/public/z", "X-A: "+long), "431 closed", nil, ""},
		{"a long name", ask("/public/z", "X-"+long+": y"), "431 closed", nil, ""},
		{"a long target", ask("/public/" + long), "431 closed", nil, ""},
		{"a long method", send(long, "/public/z", ""), "431 closed", nil, ""},
		{"200 fields", ask("/public/z", many...), "431 closed", nil, ""},
		{"200 fields of one name", ask("/public/z", strings.Split(strings.TrimSuffix(strings.Repeat("Cookie: a=b\n", 200), "\n"), "\n")...), "431 closed", nil, ""},
		{"99 fields are few", ask("/public/z", few...), "200", []string{"GET /public/z"}, ""},
		{"parameters that cannot be parsed: httputil CVE-2022-2880", ask("/public/z?a=%zz&b=1&c=%"), "200", []string{"GET /public/z?b=1"}, ""},
		{"1001 parameters: httputil CVE-2026-39825", ask("/public/z?" + strings.Repeat("a&", 1000)), "400", nil, ""},
		{"a body over the limit, by its length", send("POST", "/small", strings.Repeat("x", 17), "Content-Length: 17"), "413", nil, ""},
		{"a body over the limit, in chunks: Skipper CVE-2026-50197", send("POST", "/small", "11\r\n"+strings.Repeat("x", 17)+"\r\n0\r\n\r\n", chunked), "413", nil, ""},
		{"a body over the limit, in small chunks", send("POST", "/small", strings.Repeat("1\r\nx\r\n", 17)+"0\r\n\r\n", chunked), "413", nil, ""},
		{"a body at the limit", send("POST", "/small", "10\r\n"+strings.Repeat("x", 16)+"\r\n0\r\n\r\n", chunked), "200", []string{"POST /small"}, strings.Repeat("x", 16)},
		{"a credential of 9 KiB", ask("/x", "Authorization: Bearer "+strings.Repeat("a", 9<<10)), "401", nil, ""},
		{"a credential of dots: go-jose CVE-2025-27144, golang-jwt CVE-2025-30204", ask("/x", "Authorization: Bearer "+strings.Repeat(".", 8<<10)), "401", nil, ""},
		{"8,000 cookies", ask("/cookie", "Cookie: "+strings.Repeat("a;", 7000)+"access=x.y.z"), "401", nil, ""},
		{"an expectation nobody knows", send("POST", "/public/z", "hello", "Content-Length: 5", "Expect: the-inquisition"), "417 closed", nil, ""},
		{"expectation without a credential", send("POST", "/x", "hello"+smuggled, "Content-Length: 5", "Expect: 100-continue"), "401 closed", nil, ""},
		{"expectation, and the body at once", send("POST", "/public/z", "hello", "Content-Length: 5", "Expect: 100-continue"), "200", []string{"POST /public/z"}, "hello"},
		{"two ranges, overlapping, a thousand times", ask("/x", "Range: bytes="+strings.Repeat("0-,", 1000)+"0-"), "401", nil, ""},
	}
}
