package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins are the exact origins (scheme://host[:port]) that a route lists.
type origins struct {
	list    map[string]struct{}
	protect *http.CrossOriginProtection
}

func newOrigins(list []string) (*origins, error) {
	o := &origins{list: map[string]struct{}{}, protect: http.NewCrossOriginProtection()}
	for _, text := range list {
		if err := checkOrigin(text); err != nil {
			return nil, err
		}
		if err := o.protect.AddTrustedOrigin(text); err != nil {
			return nil, fmt.Errorf("%q is not an origin", text)
		}
		o.list[text] = struct{}{}
	}
	return o, nil
}

// checkOrigin accepts what a browser writes into Origin, and no pattern: a list
// of origins is a list of sites that act in the user's name.
func checkOrigin(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != text ||
		strings.ContainsAny(u.Host, "*@") || strings.ToLower(text) != text {
		return fmt.Errorf("%q is not an origin such as https://app.example.com", text)
	}
	return nil
}

// allows reports whether a request whose credential is a cookie, which the
// browser sends along whoever asks for it, comes from here or from a listed
// origin. Safe methods may come from anywhere, a tunnel may not: what follows its
// GET is not covered by any other rule of the browser. Secure says that this site
// is known to be https: then a page of its http twin, which anybody on the way can
// write, is another's.
func (o *origins) allows(r *http.Request, tunnel, secure bool) bool {
	origin := r.Header.Get("Origin")
	if (tunnel || unsafe(r.Method)) && !o.listed(origin) && secure && strings.HasPrefix(origin, "http:") {
		return false
	}
	if tunnel && !o.opens(r, origin) {
		return false
	}
	return o.protect.Check(r) == nil
}

func (o *origins) opens(r *http.Request, origin string) bool {
	if origin == "" { // no browser's, or lost on the way
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none"
	}
	return o.listed(origin) || sameHost(origin, r.Host)
}

func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func (o *origins) listed(origin string) bool {
	_, found := o.list[origin]
	return found
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host)
}
