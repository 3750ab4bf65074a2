package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// errTokenOver is the cause of the end of a stream whose token is not valid any
// more.
var errTokenOver = errors.New("the token of this stream is not valid any more")

// isCall reports whether a media type is that of a call, gRPC's or gRPC-Web's.
func isCall(media string) bool { return isGRPC(media) || isGRPCWeb(media) }

// flowsIn reports whether a request may go on for as long as its sender likes,
// before there is any answer: a gRPC call, or a body whose end nobody announced.
// With no body, or one of a known length, nothing is given to or taken from the
// caller that his verdict did not cover; a stream that is answered gets another
// verdict then.
func flowsIn(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && (r.ContentLength < 0 || isCall(mediaType(r.Header)))
}

// tie puts an exchange into the index, for the rest of its life: release takes it
// out. What is refused by now must go no further. Outlives: see stream.
func (g *Gateway) tie(ctx context.Context, x *exchange, outlives bool, end func(token.Reason)) *token.Refusal {
	st := &stream{identity: x.identity, policy: &x.route.Policy, outlives: outlives}
	st.end = end
	st.note = func(why token.Reason) {
		g.log.Info("a stream was ended with its token", "route", x.route.Name, "reason", why, "sub", x.identity.Subject,
			"jti", x.identity.JTI, "request_id", x.record.RequestID)
	}
	x.stream = st
	return g.streams.add(ctx, st)
}

// early ties an exchange whose request flows in, before the back end hears of it.
// Its end gives the request to the back end up, and the client's body with it: a
// read would wait for more of it, and so would the answer over HTTP/1.1.
func (g *Gateway) early(w http.ResponseWriter, x *exchange, cancel context.CancelCauseFunc) *token.Refusal {
	give := func(token.Reason) {
		cancel(errTokenOver)
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	}
	refusal := g.tie(x.in.Context(), x, !isCall(mediaType(x.in.Header)), give)
	if refusal != nil {
		give(refusal.Reason)
	}
	return refusal
}

// release ends the tie: from here on nothing touches the answer.
func (g *Gateway) release(x *exchange) {
	if x.stream != nil {
		g.streams.remove(x.stream)
		x.stream.hand(func(token.Reason) {})
	}
}

// watch ties an answer that is a stream to its token, or hands it the tie that its
// request has had from the beginning.
func (g *Gateway) watch(res *http.Response, x *exchange) error {
	var end func(token.Reason)
	if tunnelled, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		t := &tunnel{ReadWriteCloser: tunnelled, conn: x.conn, gone: make(chan struct{})}
		res.Body, end = t, t.end
	} else {
		b := &streamBody{ReadCloser: res.Body, res: res, whole: !isStream(res), broke: g.brokenCall(x)}
		res.Body, end = b, b.end
	}
	if x.stream == nil {
		// After its registration, with what is known by then.
		if refusal := g.tie(res.Request.Context(), x, false, end); refusal != nil {
			return &refusedLate{refusal}
		}
		return nil
	}
	before, whole := x.stream.end, !isStream(res)
	if !whole {
		defer x.stream.bind() // with the end that it is given here
	}
	if why := x.stream.hand(func(why token.Reason) {
		sent := x.uploaded.Load()
		if !sent || !whole { // otherwise it is an answer like any other by now
			end(why)
		}
		if !sent {
			before(why)
		}
	}); why != "" {
		return refusedBy(why)
	}
	return nil
}

// refusedLate is a token that was revoked between its verdict and the answer.
type refusedLate struct{ refusal *token.Refusal }

func (e *refusedLate) Error() string { return e.refusal.Error() }

func refusedBy(why token.Reason) *refusedLate {
	return &refusedLate{&token.Refusal{Reason: why, Fault: "the token ended before the answer began"}}
}

// refuseLate answers an exchange whose token ended before there was an answer. A
// gRPC client gets its status: 16 is UNAUTHENTICATED.
func (g *Gateway) refuseLate(w http.ResponseWriter, x *exchange, late *token.Refusal) {
	refusal := g.refusal(late, x)
	if !x.calls() || refusal.Status != http.StatusUnauthorized {
		g.refuse(w, x.record, refusal)
		return
	}
	x.record.Decision, x.record.Reason, x.record.Error = telemetry.Deny, string(refusal.Reason), string(refusal.Fault)
	callEnd{grpcUnauthenticated, overMessage}.write(w)
}

// calls reports whether the request is a gRPC call: elsewhere than on HTTP/2 a 200
// with a status in a header would be taken for a success.
func (x *exchange) calls() bool {
	return x.in.ProtoMajor == 2 && isGRPC(mediaType(x.in.Header))
}

// unfinished reports whether the client may still be sending.
func (x *exchange) unfinished() bool { return x.stream != nil && !x.uploaded.Load() }
