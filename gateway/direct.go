package gateway

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"tollgate/gateway/upstream"
)

// longestDirect is the longest body that is read whole before a back end hears of
// the request.
const longestDirect = 64 << 10

// direct reports whether a request may go the short way, which an upstream's Do
// takes on this goroutine: HTTP/1.1 with nothing unusual about it. Whatever this
// refuses goes by net/http's proxy, which does the same for all of HTTP.
func (x *exchange) direct(r *http.Request) bool {
	h := r.Header
	return r.ProtoMajor == 1 && r.ProtoMinor == 1 && x.route.Upstream.Direct() &&
		r.ContentLength >= 0 && r.ContentLength <= longestDirect && len(r.Trailer) == 0 &&
		h["Upgrade"] == nil && h["Expect"] == nil && h["Te"] == nil && !isCall(mediaType(h)) && plainQuery(r.URL.RawQuery)
}

// plainQuery reports whether every parser takes a query apart in the same way. From any
// other net/http's proxy removes the parameters that it cannot read.
func plainQuery(q string) bool {
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case c == ';' || c <= ' ' || c >= 0x7f:
			return false
		case c == '%':
			if i+2 >= len(q) || !hexDigit(q[i+1]) || !hexDigit(q[i+2]) {
				return false
			}
		}
	}
	return true
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// short sends the request the short way and passes the answer on. The request's own
// header becomes that of the request to the back end: nobody reads it afterwards.
func (g *Gateway) short(w http.ResponseWriter, r *http.Request, x *exchange) {
	x.in, x.answer = r, w.Header()
	call := &x.call
	call.Method, call.URL, call.Header, call.FirstByte = r.Method, r.URL, r.Header, x.route.Timeout
	if r.ContentLength > 0 {
		var err error
		call.Sized = true
		if call.Body, err = readBody(r.Body, r.ContentLength); err != nil {
			g.failed(w, r, x, errors.Join(errClientBody, err))
			return
		}
	} else {
		call.Sized = r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	}
	dropConnection(r.Header)
	x.outgoing(r, r)
	call.Also = x.also()
	x.record.Ask(x.route.Upstream.Name(), r.Header)
	if x.route.PreserveHost {
		call.Host = r.Host
	}
	asked := x.asking()
	answer, err := x.route.Upstream.Do(r.Context(), call)
	if err != nil {
		x.unanswered(asked, r, err)
		g.failed(w, r, x, err)
		return
	}
	x.answeredBy(asked, answer.Status)
	defer func() { _ = answer.Close() }() // whatever went wrong was told by Next
	g.pass(w, r, x, answer)
}

// firstPiece is how much of a body is made room for before any of it has come.
const firstPiece = 8 << 10

// readBody reads a body of a known size. The room for it grows with what has come: a
// client that announces much and sends nothing has no claim on the memory.
func readBody(from io.Reader, size int64) ([]byte, error) {
	body := make([]byte, min(size, firstPiece))
	n, err := io.ReadFull(from, body)
	for err == nil && int64(n) < size {
		grown := make([]byte, min(size, int64(4*n)))
		copy(grown, body)
		body = grown
		var more int
		more, err = io.ReadFull(from, body[n:])
		n += more
	}
	return body[:n], err
}

// dropConnection removes what Connection names (RFC 9110 section 7.6.1), before
// anything is set that it could name.
func dropConnection(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" && !strings.EqualFold(name, "close") && !strings.EqualFold(name, "keep-alive") {
				h.Del(name)
			}
		}
	}
}

// pass hands an answer to the client.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, x *exchange, answer *upstream.Answer) {
	h := x.answer
	exposes := answerHeader(h, answer, x.fields[:], x.route.CORS != nil)
	x.route.CORS.expose(h, exposes)
	if x.ends() && isStreamType(mediaType(h)) {
		g.passStream(w, r, x, answer)
		return
	}
	w.WriteHeader(answer.Status)
	flush := answer.Length() < 0
	for {
		piece, err := answer.Next()
		if err == nil {
			_, err = w.Write(piece)
			if err == nil && flush {
				err = http.NewResponseController(w).Flush()
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // a part must not pass for the whole
			panic(http.ErrAbortHandler)
		}
	}
	trail(h, answer)
}

// passStream passes an answer on that ends with its token.
func (g *Gateway) passStream(w http.ResponseWriter, r *http.Request, x *exchange, answer *upstream.Answer) {
	defer g.release(x)
	res := &http.Response{StatusCode: answer.Status, Header: x.answer, Body: abortable{answer}, Request: r}
	if err := g.watch(res, x); err != nil {
		clear(x.answer)
		g.failed(w, r, x, err)
		return
	}
	w.WriteHeader(answer.Status)
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	piece := make([]byte, 4<<10)
	for {
		n, err := res.Body.Read(piece)
		if n > 0 {
			if _, failed := w.Write(piece[:n]); failed != nil || out.Flush() != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if errors.Is(err, io.EOF) {
			trail(x.answer, answer)
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// abortable is the body of an answer that another goroutine may close.
type abortable struct{ answer *upstream.Answer }

// Read implements io.Reader.
func (a abortable) Read(p []byte) (int, error) { return a.answer.Read(p) }

// Close wakes the reader, whose goroutine closes the answer itself.
func (a abortable) Close() error {
	a.answer.Abort()
	return nil
}

// answerHeader copies the header of an answer, without what was between the back
// end and us. With cors, the back end's own word on it is kept apart: exposes is
// what it lets pages read. Values is where those of a header of the usual length have
// their place.
func answerHeader(h http.Header, answer *upstream.Answer, values []string, cors bool) (exposes []string) {
	fields := answer.Fields()
	if len(fields) > len(values) {
		values = make([]string, len(fields)) // one allocation for all
	}
	dropped := ""
	for i, f := range fields {
		switch {
		case f.Name == "Connection":
			if f.Value != "keep-alive" && f.Value != "close" { // they name no field, and are what is nearly always there
				dropped += "," + f.Value
			}
			continue
		case !passes(f.Name, cors):
			if f.Name == "Access-Control-Expose-Headers" {
				exposes = append(exposes, f.Value)
			}
			continue
		}
		values[i] = f.Value
		if old := h[f.Name]; old != nil {
			h[f.Name] = append(old, f.Value)
		} else {
			h[f.Name] = values[i : i+1 : i+1]
		}
	}
	if dropped != "" {
		dropNamed(h, fields, dropped, cors)
	}
	guessNothing(h, h)
	return exposes
}

// passes reports whether a field (canonical name) of an answer is the client's to see.
// Our own request id stands in the answer already, and with cors our word on it.
func passes(name string, cors bool) bool {
	return name != "Connection" && !ofOneConnection(name) && name != "X-Request-Id" && !(cors && strings.HasPrefix(name, "Access-Control-"))
}

// dropNamed takes what the answer's Connection names out of what was copied from it.
// What stood in the header before is ours, and stays.
func dropNamed(h http.Header, fields []upstream.Field, list string, cors bool) {
	named := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		named[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
	}
	for _, f := range fields {
		switch left := len(h[f.Name]) - 1; {
		case !named[f.Name] || !passes(f.Name, cors):
		case left > 0:
			h[f.Name] = h[f.Name][:left]
		default:
			delete(h, f.Name)
		}
	}
}

// guessNothing keeps the server from making up a type for an answer whose back end
// named none: what looks like a page need not be one. H is the header that goes out.
func guessNothing(h, answer http.Header) {
	if len(answer["Content-Type"]) == 0 {
		h["Content-Type"] = nil
	}
}

// ofOneConnection reports whether a field (canonical name) of an answer is between
// two neighbours.
func ofOneConnection(name string) bool {
	switch name {
	case "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// trail hands the trailer on.
func trail(h http.Header, answer *upstream.Answer) {
	for _, f := range answer.Trailer() {
		h.Add(http.TrailerPrefix+f.Name, f.Value)
	}
}
