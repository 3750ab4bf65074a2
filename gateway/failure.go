package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"tollgate/gateway/upstream"
	"tollgate/internal/server"
	"tollgate/internal/telemetry"
)

var (
	errFirstByte  = fmt.Errorf("the upstream did not begin to answer in time: %w", upstream.ErrTimeout)
	errClientBody = errors.New("the client's body could not be read")
)

// failure is a class of what can go wrong between us and a back end.
type failure struct {
	status   int
	class    string
	detail   string
	upstream bool // counts as the upstream's
}

// statusClientGone is nginx's number for a client that left; it is seen in the
// log only.
const statusClientGone = 499

// classify tells the failures apart: whose fault it was, and what a client may
// expect of another try.
func classify(r *http.Request, err error) failure {
	var op *net.OpError
	var unmet *upstream.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return failure{http.StatusRequestEntityTooLarge, "body_too_large", tooLarge, false}
	case errors.Is(err, server.ErrBodyIdle):
		return failure{http.StatusRequestTimeout, "body_idle", "The request body stopped arriving.", false}
	case errors.Is(context.Cause(r.Context()), errFirstByte), errors.Is(err, upstream.ErrTimeout):
		return failure{http.StatusGatewayTimeout, telemetry.UpstreamTimeout, "The upstream did not answer in time.", true}
	case r.Context().Err() != nil:
		return failure{statusClientGone, telemetry.UpstreamCanceled, "The request was given up.", true}
	case errors.Is(err, errClientBody):
		return failure{http.StatusBadRequest, "client_body", "The request body could not be read.", false}
	case errors.Is(err, upstream.ErrBusy):
		return failure{http.StatusServiceUnavailable, telemetry.UpstreamBusy, "The upstream has too much to do.", true}
	case errors.As(err, &unmet) && unmet.Connect:
		if unmet.Timeout() {
			return failure{http.StatusGatewayTimeout, telemetry.UpstreamTimeout, "The upstream could not be reached in time.", true}
		}
		return failure{http.StatusBadGateway, telemetry.UpstreamConnect, "The upstream could not be reached.", true}
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failure{http.StatusBadGateway, telemetry.UpstreamReset, "The upstream broke the connection off.", true}
	}
	return failure{http.StatusBadGateway, telemetry.UpstreamProtocol, "The upstream gave no valid answer.", true}
}
