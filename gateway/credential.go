package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tollgate/internal/problem"
)

// carrierKind is where a credential may stand. The order of the constants is the
// order in which carriers are looked at: the first that is present decides alone
// and is never rescued by a later one.
type carrierKind uint8

const (
	inHeader carrierKind = iota
	inNamedHeader
	inSubprotocol
	inCookie
	inQuery
)

type carrier struct {
	kind carrierKind
	name string // of the header, cookie or parameter
}

// credential is the one token of a request, with where it stood.
type credential struct {
	raw  string // empty: none
	from carrier
}

var errCarrier = errors.New(`is one of header, header:NAME, cookie:NAME, query:NAME, websocket-protocol`)

// parseCarrier reads one entry of token_from.
func parseCarrier(text string) (carrier, error) {
	kind, name, named := strings.Cut(text, ":")
	switch {
	case text == "header":
		return carrier{inHeader, "Authorization"}, nil
	case text == "websocket-protocol":
		return carrier{inSubprotocol, "Sec-WebSocket-Protocol"}, nil
	case !named || name == "":
	case kind == "header" && plainName(name) && !hopByHop(name):
		return carrier{inNamedHeader, http.CanonicalHeaderKey(name)}, nil
	case kind == "cookie" && cookieName(name):
		return carrier{inCookie, name}, nil
	case kind == "query" && url.QueryEscape(name) == name:
		return carrier{inQuery, name}, nil
	}
	return carrier{}, fmt.Errorf("%q %w", text, errCarrier)
}

func cookieName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// sortCarriers puts carriers into the order in which they count; among cookies
// that of impersonation comes first.
func sortCarriers(list []carrier, impersonation string) []carrier {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b carrier) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		if a.kind == inCookie && a.name != b.name {
			switch impersonation {
			case a.name:
				return -1
			case b.name:
				return 1
			}
		}
		return 0
	})
	return out
}

// take finds the credential of a request.
func (g *Gateway) take(r *http.Request, from []carrier) (credential, *problem.Refusal) {
	others := false // the Authorization header is somebody else's
	for _, c := range from {
		if others && c.kind == inCookie {
			continue
		}
		var raw string
		var refusal *problem.Refusal
		if c.kind == inHeader {
			raw, others, refusal = g.profile.Bearer(r.Header, g.schemes)
		} else {
			raw, refusal = c.take(r, g.schemes)
		}
		if refusal != nil && g.profile.Lenient(refusal) {
			continue
		}
		if refusal != nil || raw != "" {
			return credential{raw, c}, refusal
		}
	}
	return credential{}, nil
}

func (c carrier) take(r *http.Request, schemes []string) (string, *problem.Refusal) {
	switch c.kind {
	case inNamedHeader:
		return takeNamedHeader(r.Header[c.name], schemes)
	case inSubprotocol:
		return takeSubprotocol(r)
	case inCookie:
		return problem.Cookie(r.Header, c.name)
	case inQuery:
		return takeQuery(r, c.name)
	}
	return "", nil
}

// takeNamedHeader reads a header that holds the bare token, or scheme and token.
func takeNamedHeader(values, schemes []string) (string, *problem.Refusal) {
	if len(values) > 1 {
		return "", problem.Twice()
	}
	if len(values) == 0 || strings.TrimSpace(values[0]) == "" {
		return "", nil
	}
	if fields := strings.Fields(values[0]); len(fields) == 1 && !slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, fields[0]) }) {
		return fields[0], nil
	}
	raw, refusal := problem.Bearer(http.Header{"Authorization": values}, schemes)
	if refusal == nil && raw == "" {
		refusal = problem.BadHeader() // the header is ours alone: another scheme has no business in it
	}
	return raw, refusal
}

// takeSubprotocol reads `Sec-WebSocket-Protocol: bearer, TOKEN`: a browser's
// WebSocket can set no other header.
func takeSubprotocol(r *http.Request) (string, *problem.Refusal) {
	offered := subprotocols(r.Header)
	at := slices.Index(offered, subprotocolName)
	if at < 0 {
		return "", nil
	}
	if slices.Contains(offered[at+1:], subprotocolName) {
		return "", problem.Twice()
	}
	if at+1 == len(offered) {
		return "", problem.BadHeader()
	}
	return offered[at+1], nil
}

const subprotocolName = "bearer"

func subprotocols(h http.Header) []string {
	var out []string
	for _, value := range h["Sec-Websocket-Protocol"] {
		for _, one := range strings.Split(value, ",") {
			if one = strings.TrimSpace(one); one != "" {
				out = append(out, one)
			}
		}
	}
	return out
}

func takeQuery(r *http.Request, name string) (string, *problem.Refusal) {
	if !strings.Contains(r.URL.RawQuery, name+"=") {
		return "", nil
	}
	values := r.URL.Query()[name]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", problem.Twice()
}

// withoutParameter returns a query without one parameter, the rest byte for byte.
func withoutParameter(query, name string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if decoded, err := url.QueryUnescape(key); err == nil && decoded == name {
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "&")
}

// scrub removes from a request to the back end a credential that stood where a
// back end would log or repeat it.
func (c credential) scrub(out *http.Request) {
	switch c.from.kind {
	case inQuery:
		out.URL.RawQuery = withoutParameter(out.URL.RawQuery, c.from.name)
	case inSubprotocol:
		offered := subprotocols(out.Header)
		if at := slices.Index(offered, subprotocolName); at >= 0 && at+1 < len(offered) {
			offered = slices.Delete(offered, at, at+2)
		}
		delete(out.Header, "Sec-Websocket-Protocol")
		if len(offered) > 0 {
			out.Header["Sec-Websocket-Protocol"] = []string{strings.Join(offered, ", ")}
		}
	}
}
