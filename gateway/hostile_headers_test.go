package gateway

import (
	"strings"
)

// identityAttacks imitate the headers by which a back end knows the caller:
// oauth2-proxy CVE-2025-64484, Traefik CVE-2026-33433, -39858, -54763, Caddy
// CVE-2026-52845, -30851, Fabio CVE-2025-48865, Traefik CVE-2021-32813,
// CVE-2024-45410, CVE-2026-29054, Oathkeeper GHSA-w9mr-28mw-j8hg, net/http
// CVE-2021-33197.
func identityAttacks() []attack {
	list := []attack{}
	for _, name := range []string{
		"X-User-Id", "x-user-id", "X-USER-ID", "X_User_Id", "x_user_id", "X-User_Id", "X_User-Id", "X.User.Id", "X.User-Id", "X~User~Id", "X'User'Id", "X!User!Id", "X*User*Id", "X|User|Id", "X-User-Id-", "X-User-Id_",
		"-X-User-Id", "_X-User-Id", "--X-User-Id--", "X-Token-Subject", "X_TOKEN_SUBJECT", "X-Token-Jti", "X-Token.Jti", "X-Token-Scope", "x-token_scope", "X-Tenant", "X_Tenant", "x-tenant-",
	} {
		list = append(list,
			attack{name + " by nobody", ask("/public/i", name+": forged"), "200", []string{"GET /public/i"}, ""},
			attack{name + " beside the true one", ask("/i", bearer, name+": forged", "Connection: "+name), "200", []string{"42 GET /i"}, ""},
		)
	}
	me := []string{"42 GET /i"}
	return append(list,
		attack{"anonymous on an optional route", ask("/optional", "X-User-Id: forged", "X-Token-Scope: forged"), "200", []string{"GET /optional"}, ""},
		attack{"twice", ask("/i", bearer, "X-User-Id: 42", "X-User-Id: forged"), "200", me, ""},
		attack{"before and after the credential", ask("/i", "X-User-Id: forged", bearer, "x-user-id: forged"), "200", me, ""},
		attack{"folded", ask("/i", bearer, "X-User-Id:\r\n forged"), "200", me, ""},
		attack{"folded onto another", ask("/i", bearer, "X-A: b\r\n\tX-User-Id: 7"), "200", me, ""},
		attack{"empty", ask("/public/i", "X-User-Id:"), "200", []string{"GET /public/i"}, ""},
		attack{"Connection takes nothing away", ask("/i", bearer, "Connection: X-User-Id, X-Token-Subject, X-Token-Jti, X-Token-Scope, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Real-Ip, X-Request-Id"), "200", me, ""},
		attack{"Connection in many fields and cases", ask("/i", bearer, "connection: x-user-id", "CONNECTION: X-USER-ID", "Connection:,,x-token-subject ,\tx-token-jti"), "200", me, ""},
		attack{"Connection names itself", ask("/i", bearer, "Connection: Connection, Host, Content-Length, Transfer-Encoding"), "200", me, ""},
		attack{"Proxy-Connection and Keep-Alive name nothing", ask("/i", bearer, "Proxy-Connection: X-User-Id", "Keep-Alive: X-User-Id"), "200", me, ""},
		attack{"Connection: close beside a name", ask("/i", bearer, "Connection: close, X-User-Id"), "200 closed", me, ""},
		attack{"Trailer names it without a body", ask("/i", bearer, "Trailer: X-User-Id"), "200", me, ""},
		attack{"TE names it", ask("/i", bearer, "TE: trailers, X-User-Id", "Connection: TE"), "200", me, ""},
		attack{"in a trailer", send("POST", "/i", "1\r\nx\r\n0\r\nX-User-Id: forged\r\nx_user_id: forged\r\nX-Tenant: forged\r\n\r\n", bearer, chunked, "Trailer: X-User-Id, x_user_id, X-Tenant", "TE: trailers"), "200", []string{"42 POST /i"}, "x"},
		attack{"in a trailer that nobody announced", send("POST", "/i", "1\r\nx\r\n0\r\nX-User-Id: forged\r\n\r\n", bearer, chunked), "200", []string{"42 POST /i"}, "x"},
		attack{"in the query and in a cookie", ask("/i?X-User-Id=7", bearer, "Cookie: X-User-Id=7"), "200", []string{"42 GET /i?X-User-Id=7"}, ""},
	)
}

// forwardingAttacks tell a back end where a request came from, or that it was
// another: oauth2-proxy CVE-2026-40575, Oathkeeper CVE-2026-33495, ZITADEL
// CVE-2025-64101, Traefik CVE-2026-35051, echo GHSA-246p-cpwv-v3jq.
func forwardingAttacks() []attack {
	list := []attack{}
	for _, name := range []string{
		"X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "X-Forwarded_For", "X.Forwarded.For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl",
		"X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert", "X-Forwarded-For_", "X-Forwarded-User_Id", "X-Real-IP", "X_Real_IP", "X-Original-URL", "X-Original-URI",
		"X-Original-Host", "X-Original-Method", "X-Original-Forwarded-For", "X-Rewrite-URL", "X_Rewrite_URL", "Forwarded", "forwarded", "Proxy",
	} {
		list = append(list, attack{name, ask("/public/w", name+": forged", "Connection: "+name), "200", []string{"GET /public/w"}, ""})
	}
	for _, line := range []string{
		"X-Original-URL: /public", "X-Rewrite-URL: /public", "X-Original-URI: /public/x", "X-Forwarded-Uri: /public", "X-Forwarded-Prefix: /public", "X-Forwarded-Host: open.example", "X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.1",
		"X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=open.example", "X-Forwarded-Method: OPTIONS", "X-Original-Method: OPTIONS", "X-Forwarded-Client-Cert: By=x;Subject=\"CN=admin\"", "Client-Ip: 127.0.0.1", "True-Client-Ip: ::1",
	} {
		name, _, _ := strings.Cut(line, ":")
		list = append(list, attack{name + " is no way in", ask("/admin", line), "401", nil, ""})
	}
	return append(list,
		attack{"a chain of addresses", ask("/public/w", "X-Forwarded-For: forged, 127.0.0.1", "X-Forwarded-For: forged"), "200", []string{"GET /public/w"}, ""},
		attack{"an own request id stays the gateway's", ask("/public/w", "X-Request-Id: forged"), "200", []string{"GET /public/w"}, ""},
		attack{"an own request id with a line break", ask("/public/w", "X-Request-Id: a\r\n forged"), "200", []string{"GET /public/w"}, ""},
	)
}
