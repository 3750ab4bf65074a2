package gateway

import (
	"net/http"
	"strings"

	"tollgate/internal/telemetry"
)

// The statuses of gRPC that the gateway gives.
const (
	grpcUnavailable     = "14"
	grpcUnauthenticated = "16"
)

// overMessage is the grpc-message that goes with grpcUnauthenticated when a token ends
// during a call.
const overMessage = "the token is not valid any more"

// isGRPC reports whether a media type is gRPC's own. gRPC-Web is another protocol:
// its status stands in the body.
func isGRPC(media string) bool {
	return media == "application/grpc" || strings.HasPrefix(media, "application/grpc+")
}

// isGRPCWeb reports whether a media type is gRPC-Web's, as text or not.
func isGRPCWeb(media string) bool {
	rest, found := strings.CutPrefix(media, "application/grpc-web")
	rest = strings.TrimPrefix(rest, "-text")
	return found && (rest == "" || rest[0] == '+')
}

// callEnd is how a gRPC call ends.
type callEnd struct{ status, message string }

// write ends a call that has no answer yet. The status stands in the header then and
// nothing follows it: gRPC calls that Trailers-Only.
func (e callEnd) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", e.status)
	h.Set("Grpc-Message", e.message)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// brokenCall returns what follows the error of a back end in the middle of a call:
// the client gets its status in place of a stream that breaks. Nil where the
// client does not speak gRPC.
func (g *Gateway) brokenCall(x *exchange) func(error) bool {
	if !x.calls() {
		return nil
	}
	return func(err error) bool {
		if x.in.Context().Err() != nil { // the client's own doing
			return false
		}
		x.record.Decision, x.record.Error = telemetry.Error, telemetry.UpstreamReset
		g.metrics.UpstreamError(x.route.Upstream.Name(), telemetry.UpstreamReset)
		x.log().Warn("upstream failed in the middle of a call", "route", x.route.Name, "upstream", x.route.Upstream.Name(),
			"request_id", x.record.RequestID, "error", err)
		return true
	}
}

// trail puts the end of the call into the trailer of an answer that has begun. Names
// that the back end announced stay in it, so that the proxy goes on treating them as
// trailer fields.
func (e callEnd) trail(res *http.Response) {
	if res.Trailer == nil {
		res.Trailer = http.Header{}
	}
	res.Trailer.Set("Grpc-Status", e.status)
	res.Trailer.Set("Grpc-Message", e.message)
}
