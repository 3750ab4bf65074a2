package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Finding says what becomes of a request before its token is looked at.
type Finding struct {
	Status int          `json:"status"` // 0: it goes on to the route's policy
	Why    string       `json:"why"`
	Route  *Description `json:"route,omitempty"`
	// Others are the routes that come nearest beside it, the nearest first.
	Others []Other `json:"others,omitempty"`
}

// Check says which route takes a request, and why, with the code that serves it.
// The URL is whole, or a path on any host.
func (t *Table) Check(method, rawURL string) (Finding, error) {
	u, err := url.Parse(rawURL)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return Finding{}, fmt.Errorf("%q is neither a URL nor a path", rawURL)
	}
	requestURI := rawURL
	if u.Host != "" {
		requestURI = strings.TrimPrefix(rawURL, u.Scheme+"://"+u.Host)
	}
	r := &http.Request{Method: method, URL: u, RequestURI: requestURI, Host: u.Host}
	at, err := readTarget(r)
	if err != nil {
		return Finding{Status: http.StatusBadRequest, Why: err.Error()}, nil
	}
	if isForwardAuth(u.Path) {
		return Finding{Why: forwardAuthPath + " answers for other proxies"}, nil
	}
	route, allow := t.Match(u.Host, at.path, method)
	others := t.others(u.Host, at.path, method, route)
	if route == nil {
		if allow != nil {
			return Finding{Status: http.StatusMethodNotAllowed, Why: "the path belongs to routes that take " + strings.Join(allow, ", "), Others: others}, nil
		}
		return Finding{Status: http.StatusNotFound, Why: "no route has this host and a prefix of this path", Others: others}, nil
	}
	d := route.Describe()
	if !t.permits(route, u.Host, at, method) {
		return Finding{Status: http.StatusBadRequest, Why: "the route does not allow this spelling of a path (match.allow), or another reading of it belongs to another route", Route: &d, Others: others}, nil
	}
	host := "any host"
	if len(route.Hosts) > 0 {
		host = "host " + strings.Join(route.Hosts, ", ")
	}
	return Finding{Why: fmt.Sprintf("%s and the prefix %s are the most special that fit", host, route.Path), Route: &d, Others: others}, nil
}
