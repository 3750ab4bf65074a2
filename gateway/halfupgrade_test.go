package gateway

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"tollgate/internal/testkit"
)

// A 101 that one reader takes for a WebSocket's and another does not takes no place for
// ever, neither of the requests in flight nor of the streams.
func TestDoubtfulSwitchLeavesNothing(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], max_in_flight: 1}}\nroutes: [{name: all, match: {path: /}, upstream: app, websocket: true, auth: {mode: optional}}]\n"
	for name, lines := range map[string]string{
		"a blank that is none":  "Connection: \u00a0Upgrade\r\nUpgrade: websocket\r\n",
		"no upgrade":            "Connection: Upgrade\r\n",
		"another case":          "connection: upgrade\r\nupgrade: WEBSOCKET\r\n",
		"two of them":           "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n",
		"a list":                "Connection: keep-alive, Upgrade\r\nUpgrade: websocket, h2c\r\n",
		"two lines of it":       "Connection: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
		"a letter that folds":   "Connection: Upgrade\r\nUpgrade: web\u017focket\r\n",
		"a letter of upgrading": "Connection: Upgr\u00e4de\r\nUpgrade: websocket\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			e := mustEdge(t, edgeOptions{routes: routes, handler: func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				defer conn.Close()
				fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\n"+lines+"\r\n")
				_, _ = io.Copy(io.Discard, conn)
			}})
			for _, auth := range [][]string{nil, bearerOf(e.token(t)), nil} {
				s := e.dial(t, "/", auth...)
				if s.response.StatusCode == http.StatusServiceUnavailable {
					t.Fatal("no place is free")
				}
				_ = s.Close()
				testkit.MustAwait(t, "its place", func() bool {
					return e.gateway.OpenStreams() == 0 && e.gateway.Table().routes[0].Upstream.Status()[0].InFlight == 0
				})
			}
		})
	}
}
