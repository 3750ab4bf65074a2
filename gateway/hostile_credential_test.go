package gateway

import (
	"fmt"
	"strings"
)

// credentialAttacks bring a good token in a wrong way, or two of them: the token
// must be taken from one place, once, or not at all.
func credentialAttacks() []attack {
	me, cookie, query := []string{"42 GET /x"}, []string{"42 GET /cookie"}, []string{"42 GET /query"}
	list := []attack{
		{"as it should be", ask("/x", bearer), "200", me, ""},
		{"scheme in another case", ask("/x", "authorization: bEARER {T}"), "200", me, ""},
		{"more blanks and tabs", ask("/x", "Authorization: \tBearer \t {T} \t"), "200", me, ""},
		{"folded", ask("/x", "Authorization: Bearer\r\n {T}"), "200", me, ""},
		{"Connection takes it from the back end, not from us", ask("/x", bearer, "Connection: Authorization"), "200", me, ""},
		{"a cookie with quotes", ask("/cookie", "Cookie: access=\"{T}\""), "200", cookie, ""},
		{"a cookie among attributes of RFC 2965", ask("/cookie", "Cookie: $Version=1; access={T}; $Path=/"), "200", cookie, ""},
		{"a parameter, which goes no further", ask("/query?tok={T}"), "200", query, ""},
		{"a parameter of an escaped name is none", ask("/query?%74ok={T}"), "401", nil, ""},
		{"a bare token in a named header", ask("/named", "X-Access-Token: {T}"), "200", []string{"42 GET /named"}, ""},
	}
	for _, lines := range [][]string{
		{bearer, bearer}, {bearer, "Authorization: Bearer x.y.z"}, {"Authorization: Basic eDp5", bearer}, {bearer, "AUTHORIZATION: {T}"}, {"Authorization:", bearer}, {bearer, "Authorization:"},
	} {
		list = append(list, attack{"twice: " + strings.Join(lines, ", "), ask("/x", lines...), "400", nil, ""}, attack{"twice, optional: " + strings.Join(lines, ", "), ask("/optional", lines...), "400", nil, ""})
	}
	for _, value := range []string{
		"Bearer {T}, Bearer {T}", "Bearer {T},x", "Bearer {T}, ", "Bearer{T}", "Bearer {T} x", "Bearer x {T}", "Bearer \"{T}\"", "Bearer '{T}'", "Bearer <{T}>", "Bearer {T}=", "Bearer {T}==", "Bearer {T}.", "Bearer .{T}", "Bearer {T};", "Bearer {T}%20",
		"Bearer {T}\u00e9", "Bearer \u200b{T}", "Bearer\u00a0{T}", "Bearer Bearer {T}", "Bearer: {T}", "Bearer={T}", "Bearer realm=\"api\", token={T}", "{T}", "Basic {T}", "Token {T}", "JWT {T}", "DPoP {T}", "Digest {T}", "Negotiate {T}", "Bearers {T}", "Вearer {T}",
		"Bearer", "Bearer ", "Bearer null", "Bearer undefined", "Bearer x.y.z", "Bearer ..", "Bearer {}", "Bearer [object Object]", "", ",", "Bearer {T}\r\n x",
	} {
		list = append(list, attack{fmt.Sprintf("value %q", value), ask("/x", "Authorization: "+value), "401", nil, ""})
	}
	for _, value := range []string{"Bearer {T}\x01", "Bearer \x00{T}", "Bearer {T}\x7f", "Bearer\x0b{T}", "Bearer {T}\r", "\x1bBearer {T}"} {
		list = append(list, attack{fmt.Sprintf("value %q", value), ask("/x", "Authorization: "+value), "400 closed", nil, ""})
	}
	for _, line := range []string{
		"X-Authorization: Bearer {T}", "Proxy-Authorization: Bearer {T}", "Authentication: Bearer {T}", "Authorization-: Bearer {T}", "Authorization_: Bearer {T}", "X-Access-Token: {T}", "X-Auth-Token: {T}", "Token: {T}", "Bearer: {T}", "Cookie: access={T}", "Cookie: Authorization=Bearer {T}",
		"Sec-WebSocket-Protocol: bearer, {T}", "Referer: http://h/?access_token={T}", "Forwarded: for={T}", "X-Forwarded-Access-Token: {T}", "X-Original-Authorization: Bearer {T}",
	} {
		list = append(list, attack{"elsewhere: " + line, ask("/x", line), "401", nil, ""})
	}
	for _, target := range []string{"/x?access_token={T}", "/x?tok={T}", "/x?Authorization=Bearer%20{T}", "/x/{T}", "/query", "/query?", "/query?TOK={T}", "/query?a;tok={T}", "/query?tok={T};a=b", "/query?tok={T}%00", "/query?tok=%20{T}", "/query?tok", "/query?tok=", "/query?x=tok={T}", "/query/tok={T}"} {
		list = append(list, attack{"target " + target, ask(target), "401", nil, ""})
	}
	for _, target := range []string{"/query?tok={T}&tok={T}", "/query?tok=x.y.z&tok={T}", "/query?tok={T}&%74ok=x", "/query?tok={T}&tok", "/query?tok={T}&tok=", "/query?tok={T}#x", "/query#?tok={T}"} {
		list = append(list, attack{"target " + target, ask(target), "400", nil, ""})
	}
	for _, value := range []string{
		"access={T}; access={T}", "access={T}; access=x", "access=x; access={T}", "access={T}; access=", "access; access={T}", "access =x; access={T}", "access=bad\u00e9; access={T}", "access=\"a\\\"; access={T}", "access={T};access=\"", "\taccess=x;access={T}",
	} {
		list = append(list, attack{fmt.Sprintf("cookie %q", value), ask("/cookie", "Cookie: "+value), "400", nil, ""})
	}
	for _, value := range []string{"Access={T}", "ACCESS={T}", "access={T},x", "access=\"{T}", "access='{T}'", "access={T}\"", "access= {T}", "access=Bearer {T}", "access:{T}", "xaccess={T}", "access_={T}", "__Host-access={T}", "access[]={T}", "access%3D{T}", "a={T}", "access=", "access=\"\"", "{T}"} {
		list = append(list, attack{fmt.Sprintf("cookie %q", value), ask("/cookie", "Cookie: "+value), "401", nil, ""})
	}
	return append(list,
		attack{"two Cookie fields", ask("/cookie", "Cookie: access={T}", "Cookie: access={T}"), "400", nil, ""},
		attack{"a header where a cookie is asked for", ask("/cookie", bearer), "401", nil, ""},
		attack{"another site's form with the cookie", send("POST", "/cookie", "", "Cookie: access={T}", "Origin: https://evil.example", "Content-Length: 0"), "403", nil, ""},
		attack{"a sandboxed page with the cookie", send("POST", "/cookie", "", "Cookie: access={T}", "Origin: null", "Content-Length: 0"), "403", nil, ""},
		attack{"another site by fetch metadata", send("DELETE", "/cookie", "", "Cookie: access={T}", "Sec-Fetch-Site: cross-site"), "403", nil, ""},
		attack{"a neighbour's page with the cookie", send("POST", "/cookie", "", "Cookie: access={T}", "Origin: http://evil.h", "Content-Length: 0"), "403", nil, ""},
		attack{"in a form", send("POST", "/x", "access_token={T}&tok={T}", "Content-Type: application/x-www-form-urlencoded", length), "401", nil, ""},
		attack{"in JSON", send("POST", "/x", "{\"access_token\":\"{T}\"}", "Content-Type: application/json", length), "401", nil, ""},
		attack{"in a trailer", send("POST", "/x", "0\r\nAuthorization: Bearer {T}\r\n\r\n", chunked, "Trailer: Authorization"), "401", nil, ""},
		attack{"named header, twice", ask("/named", "X-Access-Token: {T}", "X-Access-Token: {T}"), "400", nil, ""},
		attack{"named header, another scheme", ask("/named", "X-Access-Token: Basic {T}"), "401", nil, ""},
		attack{"named header, in another spelling", ask("/named", "X_Access_Token: {T}"), "401", nil, ""},
	)
}
