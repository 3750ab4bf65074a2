package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"tollgate/internal/problem"
)

// isUpgrade reports whether a request asks for another protocol on its
// connection, RFC 9110 section 7.8.
func isUpgrade(h http.Header) bool {
	return len(h["Upgrade"]) > 0 && hasToken(h["Connection"], "upgrade")
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if isWord(strings.Trim(one, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// isWord compares with a word of ASCII letters, in whatever case. A letter that merely
// folds to one of these is longer than it.
func isWord(s, word string) bool { return len(s) == len(word) && strings.EqualFold(s, word) }

// checkWebSocket says what is wrong with an opening handshake, RFC 6455 section
// 4.1. A tunnel is opened on the back end's 101 alone, and only for a request
// that is a WebSocket's in every part: version 13, one key, no body.
func checkWebSocket(r *http.Request) (status int, detail string) {
	h := r.Header
	version, key := h["Sec-Websocket-Version"], h["Sec-Websocket-Key"]
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1 || r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return http.StatusBadRequest, "A WebSocket begins with a GET without a body."
	case len(version) != 1 || version[0] != "13":
		return http.StatusUpgradeRequired, "Only version 13 of WebSocket is spoken here."
	case len(key) != 1:
		return http.StatusBadRequest, "A WebSocket has one Sec-WebSocket-Key."
	}
	if nonce, err := base64.StdEncoding.DecodeString(key[0]); err != nil || len(nonce) != 16 {
		return http.StatusBadRequest, "The Sec-WebSocket-Key is not 16 bytes in base64."
	}
	return 0, ""
}

// isWebSocket reports whether the upgrade that is asked for is to WebSocket and
// to nothing else.
func isWebSocket(h http.Header) bool {
	return isUpgrade(h) && len(h["Upgrade"]) == 1 && isWord(h["Upgrade"][0], "websocket")
}

// refuseUpgrade answers a malformed handshake.
func refuseUpgrade(w http.ResponseWriter, status int, detail string) {
	if status == http.StatusUpgradeRequired {
		w.Header().Set("Sec-WebSocket-Version", "13")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	if status == http.StatusBadRequest {
		// A body that was announced may never come: net/http would wait for it.
		w.Header().Set("Connection", "close")
	}
	problem.WriteDetail(w, status, detail)
}
