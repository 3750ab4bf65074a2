package gateway

import (
	"strings"
)

// upgradeAttacks ask for a tunnel through which requests would pass unseen: Kemal
// PR 767 and Echo's proxyRaw.
func upgradeAttacks() []attack {
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	const version = "Sec-WebSocket-Version: 13"
	const forged = "GET /admin HTTP/1.1\r\nHost: h\r\nX-User-Id: forged\r\n\r\n"
	up := []string{"Connection: Upgrade", "Upgrade: websocket", version, key}
	with := func(lines ...string) []string { return append(append([]string{bearer}, up...), lines...) }
	plain := []string{"42 GET /ws"}
	list := []attack{
		{"a true handshake", ask("/ws", with()...) + "\x81\x80\x00\x00\x00\x00", "101", plain, ""},
		{"a request behind a handshake that the back end refuses", ask("/ws/no", with()...) + forged, "200 401", []string{"42 GET /ws/no"}, ""},
		{"without a token", ask("/ws", up...) + forged, "401 401", nil, ""},
		{"version 12, then a request", ask("/ws", bearer, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 12", key) + forged, "426 401", nil, ""},
		{"two versions", ask("/ws", with(version)...), "426", nil, ""},
		{"a version list", ask("/ws", bearer, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13, 12", key), "426", nil, ""},
		{"no key", ask("/ws", bearer, "Connection: Upgrade", "Upgrade: websocket", version), "400 closed", nil, ""},
		{"two keys", ask("/ws", with(key)...), "400 closed", nil, ""},
		{"a short key", ask("/ws", bearer, "Connection: Upgrade", "Upgrade: websocket", version, "Sec-WebSocket-Key: dGhl"), "400 closed", nil, ""},
		{"a POST", send("POST", "/ws", "", with("Content-Length: 0")...), "400 closed", nil, ""},
		{"with a body", send("GET", "/ws", forged, with(length)...), "400 closed", nil, ""},
		{"with a chunked body", send("GET", "/ws", "0\r\n\r\n"+forged, with(chunked)...), "400 closed", nil, ""},
		{"HTTP/1.0", strings.Replace(ask("/ws", with()...), "HTTP/1.1", "HTTP/1.0", 1), "400|426 closed", nil, ""},
		{"an ordinary route, then a request", ask("/u", with()...) + forged, "200 401", []string{"42 GET /u"}, ""},
		{"Upgrade without Connection", ask("/ws", bearer, "Upgrade: websocket", version, key) + forged, "200 401", plain, ""},
		{"Connection without Upgrade", ask("/ws", bearer, "Connection: Upgrade", version, key) + forged, "200 401", plain, ""},
		{"Connection with another blank", ask("/ws", bearer, "Connection: \u00a0Upgrade", "Upgrade: websocket", version, key) + forged, "200 401", plain, ""},
		{"Upgrade twice", ask("/ws", with("Upgrade: h2c")...) + forged, "200 401", plain, ""},
		{"a cookie's socket from another origin", ask("/cookie", append([]string{"Cookie: access={T}", "Origin: https://evil.example"}, up...)...), "403", nil, ""},
		{"a cookie's socket from null", ask("/cookie", append([]string{"Cookie: access={T}", "Origin: null"}, up...)...), "403", nil, ""},
	}
	for _, protocol := range []string{"h2c", "HTTP/2.0", "TLS/1.0", "websocket, h2c", "websocket/13", "h2c, websocket", "connect-udp", "web socket", "websocket;x"} {
		list = append(list, attack{"Upgrade: " + protocol, ask("/ws", bearer, "Connection: Upgrade, HTTP2-Settings", "Upgrade: "+protocol, "HTTP2-Settings: AAMAAABkAAQAAP__", version, key) + forged, "200 401", plain, ""})
	}
	return list
}
