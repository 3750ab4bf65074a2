package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"testing"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

const fuzzRoutes = `
version: 1
upstreams: {u: {urls: ["http://127.0.0.1:1"]}}
routes:
  - {name: all, match: {path: /, allow: [encoded_slash, semicolon, double_slash]}, upstream: u, auth: {mode: none}}
  - {name: secret, match: {path: /secret}, upstream: u, identity_headers: {X-Tenant: tenant}}
  - {name: cut, match: {path: /cut, allow: [encoded_slash, semicolon, double_slash]}, upstream: u, auth: {mode: none}, rewrite: {strip_prefix: /cut}}
`

// decodeLikeCGI is how a server reads a path into PATH_INFO: every escape at once,
// whatever it stands for.
func decodeLikeCGI(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		var c byte
		if raw[i] == '%' && i+2 < len(raw) {
			if n, err := fmt.Sscanf(raw[i+1:i+3], "%02x", &c); n == 1 && err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// FuzzPathHasOneReading: a path that passes is forwarded as it was written but for
// bytes that should have been escaped, net/url and a CGI server read it as it was
// matched, and one that is written in a way the route allows belongs to the same
// route in the laxest of readings.
func FuzzPathHasOneReading(f *testing.F) {
	for _, seed := range []string{
		"/", "/a", "/a/", "/a%20b/%C3%A9?x=1", "/%61dmin", "/secret", "/a/../secret", "/a/%2e%2e/secret", "//secret", "/secret%2Fx", "/secret;x", "/a%2Fb\"", "/é%2F", "/cut/a%2Fb", "/%63ut/secret%2F", "/a%252e", "/%c0%ae", "/a;/b", "/a%3bx", "/a\\b",
		"/..;/secret", "/secret%2F..%2Fx", "http://h/a%2F", "/a#b", "/cut", "/cut//x", "/a/%2F/b", "/%", "/[a]", "*",
	} {
		f.Add(seed)
	}
	table, err := ReadRoutes([]byte(fuzzRoutes), Defaults{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + written + " HTTP/1.1\r\nHost: h\r\n\r\n")))
		if err != nil || strings.ContainsAny(written, "\r\n") {
			return // net/http answers 400
		}
		at, err := readTarget(r)
		if err != nil {
			return
		}
		at.forward(r.URL)
		forwarded, _, _ := strings.Cut(r.URL.RequestURI(), "?")
		raw := written
		if absolute, err := url.ParseRequestURI(written); err == nil && absolute.Host != "" {
			raw = strings.TrimPrefix(written[len(absolute.Scheme)+3:], absolute.Host)
		}
		raw, _, _ = strings.Cut(raw, "?")
		want := ""
		for i := range len(raw) {
			if inPath(raw[i]) {
				want += raw[i : i+1]
			} else {
				want += fmt.Sprintf("%%%02X", raw[i])
			}
		}
		if forwarded != want {
			t.Fatalf("%q is forwarded as %q, want %q", written, forwarded, want)
		}
		decoded, err := url.PathUnescape(forwarded)
		if cgi := decodeLikeCGI(forwarded); err != nil || decoded != r.URL.Path || cgi != decoded {
			t.Fatalf("%q is read as %q by net/url, as %q by CGI, as %q by us (%v)", written, decoded, cgi, r.URL.Path, err)
		}
		if at.spelling == 0 && (at.path != decoded || path.Clean(decoded) != "/"+strings.Trim(decoded, "/") || strings.ContainsAny(decoded, "\\;\x00")) {
			t.Fatalf("%q passes as ordinary, and is matched as %q", written, at.path)
		}
		route, _ := table.Match("h", at.path, "GET")
		if !table.permits(route, "h", at, "GET") {
			return
		}
		lax := ""
		for segment := range strings.SplitSeq(decoded, "/") {
			segment, _, _ = strings.Cut(segment, ";")
			lax += "/" + segment
		}
		if lax = path.Clean(lax); (lax == "/secret" || strings.HasPrefix(lax, "/secret/")) != (route.Name == "secret") {
			t.Fatalf("%q belongs to %s, and to a lax reader it is %q", written, route.Name, lax)
		}
		if route.Name == "cut" {
			stripPrefix(r, route.StripPrefix)
			if got, _ := url.PathUnescape(r.URL.EscapedPath()); got != r.URL.Path || !strings.HasSuffix(forwarded, strings.TrimPrefix(r.URL.EscapedPath(), "/")) {
				t.Fatalf("%q becomes %q, which is read as %q", written, r.URL.EscapedPath(), got)
			}
		}
	})
}

// FuzzHeadersCannotImitate: whatever a client calls a header, no back end can take
// it for one that the gateway sets, and those come exactly once.
func FuzzHeadersCannotImitate(f *testing.F) {
	for _, seed := range []string{"X-User-Id", "x_user_id", "X.User.Id", "-X-User-Id-", "X-Tenant", "X-Forwarded-For", "x_forwarded_for", "Connection", "Forwarded", "X-Real-Ip", "X~Token~Jti", "Proxy", "X-Request-Id", "X-Original-Url", "Te", "Trailer"} {
		f.Add(seed, "X-User-Id")
	}
	table, err := ReadRoutes([]byte(fuzzRoutes), Defaults{UserIDClaim: "user_id"})
	if err != nil {
		f.Fatal(err)
	}
	route, _ := table.Match("h", "/secret", "GET")
	f.Fuzz(func(t *testing.T, name, value string) {
		in, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /secret HTTP/1.1\r\n" + name + ": " + value + "\r\nHost: h\r\n\r\n")))
		if err != nil || strings.ContainsAny(name+value, "\r\n") || name == "" {
			return
		}
		in.RemoteAddr = "192.0.2.1:1"
		x := &exchange{route: route, table: table, gateway: &Gateway{}, record: &telemetry.Record{RequestID: "id"}, identity: &token.Identity{Subject: "42"}}
		in = in.WithContext(context.WithValue(in.Context(), exchangeKey{}, x))
		out := in.Clone(in.Context())
		rewrite(&httputil.ProxyRequest{In: in, Out: out})
		ours := map[string]string{"X_USER_ID": "42", "X_TOKEN_SUBJECT": "42", "X_TOKEN_JTI": "", "X_TOKEN_SCOPE": "", "X_TENANT": "", "X_FORWARDED_FOR": "192.0.2.1", "X_FORWARDED_PROTO": "http", "X_FORWARDED_HOST": "h", "X_REAL_IP": "192.0.2.1", "X_REQUEST_ID": "id", "FORWARDED": "", "X_ORIGINAL_URL": "", "PROXY": ""}
		for got, values := range out.Header {
			folded := strings.Trim(strings.Map(func(c rune) rune {
				if c < 0x80 && plainName(string(c)) && c != '-' {
					return c
				}
				return '_'
			}, strings.ToUpper(got)), "_")
			if want, set := ours[folded]; set && (want == "" || len(values) != 1 || values[0] != want || got != http.CanonicalHeaderKey(strings.ReplaceAll(folded, "_", "-"))) {
				t.Fatalf("%q: %q arrives as %q: %q", name, value, got, values)
			}
			if !plainName(got) {
				t.Fatalf("%q arrives", got)
			}
		}
		for folded, want := range ours {
			if got := out.Header[http.CanonicalHeaderKey(strings.ReplaceAll(folded, "_", "-"))]; want != "" && (len(got) != 1 || got[0] != want) {
				t.Fatalf("with %q: %q %s is %q", name, value, folded, got)
			}
		}
	})
}
