package gateway

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"tollgate/gateway/upstream"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// exchange is one request on its way through the gateway.
type exchange struct {
	route      *Route
	table      *Table
	gateway    *Gateway
	record     *telemetry.Record
	credential credential
	identity   *token.Identity // nil: public, anonymous, or let through by report-only
	timer      *time.Timer     // ends the wait for the first byte
	answered   atomic.Bool     // the head of the answer is there
	tunnel     bool            // let through as a WebSocket
	asked      bool            // about another proxy's request
	conn       interrupter     // to the back end, of an upgrade
	switched   io.Closer       // the body of a 101; nil: there was none
	in         *http.Request   // as it came; with answer, from the proxying on
	answer     http.Header
	stream     *stream     // its place in the index; nil: none
	uploaded   atomic.Bool // the client's body was read to its end

	// What most requests need has its place here, so that it costs no allocation of
	// its own.
	call      upstream.Call
	forwarded forwarding
	own       [forwardings + 1]upstream.Field // what the back end is told beside the header
	fields    [8]string                       // values of the answer's header
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

// identify notes who calls.
func (x *exchange) identify(id *token.Identity) {
	x.identity = id
	x.note(id)
}

// ends reports whether what is open may not outlive the token.
func (x *exchange) ends() bool { return x.identity != nil && !x.route.KeepStreams }

// opens reports whether the request opens a tunnel. When another proxy asks on a
// client's behalf (forward-auth) it may have dropped Connection and Upgrade, which
// belong to its own connection (RFC 9110 section 7.6.1), and over HTTP/2 they were never
// there (RFC 8441). Then the other headers of a browser's handshake decide.
func (x *exchange) opens(r *http.Request) bool {
	h := r.Header
	return isUpgrade(h) || x.asked && (len(h["Upgrade"]) > 0 || len(h["Sec-Websocket-Key"]) > 0 || len(h["Sec-Websocket-Version"]) > 0 ||
		strings.EqualFold(h.Get("Sec-Fetch-Mode"), "websocket"))
}

// flowing begins the wait for the first byte anew.
func (x *exchange) flowing() {
	if x.timer == nil || x.answered.Load() {
		return
	}
	x.timer.Reset(x.route.Timeout)
	if x.answered.Load() { // the answer came in between
		x.timer.Stop()
	}
}

// note writes what is known of a token whose signature was good into the record.
func (x *exchange) note(id *token.Identity) {
	x.record.Subject, x.record.JTI, x.record.KeyID, x.record.Actor = id.Subject, id.JTI, id.KeyID, id.Actor
}
