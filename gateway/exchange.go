package gateway

import (
	"net/http"
	"time"

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
	conn       interrupter     // to the back end, of an upgrade
	in         *http.Request   // as it came; with answer, from the proxying on
	answer     http.Header
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

// identify notes who calls.
func (x *exchange) identify(id *token.Identity) {
	x.identity = id
	x.note(id)
}

// note writes what is known of a token whose signature was good into the record.
func (x *exchange) note(id *token.Identity) {
	x.record.Subject, x.record.JTI, x.record.KeyID = id.Subject, id.JTI, id.KeyID
}
