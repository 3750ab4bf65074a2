package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// question is a request about which another proxy asks (forward-auth).
type question struct {
	*http.Request
	// rival is another host that the asking proxy could mean; empty: none.
	rival string
}

// badQuestion is what a question lacks, in words for whoever configures the asking
// proxy.
type badQuestion string

func (q badQuestion) Error() string { return string(q) }

const (
	errNoTarget = badQuestion("Which request is meant? Send X-Forwarded-Method and X-Forwarded-Uri, or X-Original-Method and " +
		"X-Original-URI, or append its path to " + forwardAuthPath + ".")
	errTwoWays = badQuestion("The headers about the original request disagree or come twice, or the path appended to " + forwardAuthPath +
		" or the Host of the question disagrees with them. Let the asking proxy keep the client's Host, and set or remove each of " +
		"X-Forwarded-Method, -Uri, -Host, X-Original-Method, -URI and -URL.")
)

// askedAbout builds the request that a proxy asks about: method, target and host
// in one of three forms, everything else from the question itself, which carries
// the client's headers. Among these may be the headers of a form that the proxy
// does not use: they may repeat what is asked and never say anything else.
func askedAbout(r *http.Request) (question, error) {
	method, err := oneOf(r.Header, "X-Forwarded-Method", "X-Original-Method")
	if err != nil {
		return question{}, err
	}
	uri, err := oneOf(r.Header, "X-Forwarded-Uri", "X-Original-Uri", "X-Original-Url")
	if err != nil {
		return question{}, err
	}
	host, err := oneOf(r.Header, "X-Forwarded-Host")
	if err != nil {
		return question{}, err
	}
	suffix, literal := strings.CutPrefix(r.RequestURI, forwardAuthPath)
	path, _, _ := strings.Cut(suffix, "?")
	switch {
	case !literal, uri == "" && path == "":
		return question{}, errNoTarget
	case uri == "":
		// Envoy appends the path and keeps method and host: all are the request's own.
		if method != "" && method != r.Method || host != "" && canonicalHost(host) != canonicalHost(r.Host) {
			return question{}, errTwoWays
		}
		return original(r, r.Method, suffix, "")
	case path != "":
		// To the path "/", too, something is appended: that there is a header cannot
		// tell Envoy's question about "/" from another's.
		return question{}, errTwoWays
	case method == "":
		return question{}, errNoTarget
	}
	_, forwarded := r.Header["X-Forwarded-Uri"]
	if _, named := r.Header["X-Original-Method"]; !forwarded && !named {
		return question{}, errTwoWays // half of either form: one of them is the client's
	}
	q, err := original(r, method, uri, host)
	if err == nil && !forwarded && strings.HasPrefix(uri, "/") && canonicalHost(q.Host) != canonicalHost(r.Host) {
		// nginx has no header of its own for the host, and passes on what the client
		// sends.
		q.rival = r.Host
	}
	return q, err
}

// original returns the request that was meant. A whole URL (nginx's $request_uri
// is none, others send one) gives its scheme, path and query.
func original(r *http.Request, method, uri, host string) (question, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(u.Path, "/") || !isToken(method) {
		return question{}, errNoTarget
	}
	asked := r.WithContext(r.Context())
	if u.Scheme != "" {
		if !isWebURL(u) {
			return question{}, errNoTarget
		}
		if host != "" && canonicalHost(host) != canonicalHost(u.Host) {
			return question{}, errTwoWays
		}
		host = u.Host
		uri = strings.TrimPrefix(uri, u.Scheme+"://"+u.Host)
		if u.Scheme == "https" {
			asked.Header = r.Header.Clone()
			asked.Header["X-Forwarded-Proto"] = []string{u.Scheme}
		}
		u.Scheme, u.Host = "", ""
	}
	asked.Method, asked.URL, asked.RequestURI = method, u, uri
	if host != "" {
		asked.Host = host
	}
	return question{Request: asked}, nil
}

// oneOf returns the value of the headers that say one thing; they must agree.
func oneOf(h http.Header, names ...string) (string, error) {
	found := ""
	for _, name := range names {
		values := h[http.CanonicalHeaderKey(name)]
		if len(values) > 1 || len(values) == 1 && found != "" && values[0] != found {
			return "", errTwoWays
		}
		if len(values) == 1 {
			found = values[0]
		}
	}
	return found, nil
}

// ambiguous reports whether the hosts that a question could mean have different
// routes: then one of them would be let through by the other's.
func (q question) ambiguous(t *Table, at target, route *Route) bool {
	if q.rival == "" {
		return false
	}
	other, _ := t.Match(q.rival, at.path, q.Method)
	return other != route
}
