package issuer

import "net/http"

// bearerOrRefresh rows need what bearer rows need, or the refresh cookie of a browser
// whose access token is over.
const bearerOrRefresh authenticator = "bearer or cookie"

// bearerOrLogin rows need what bearer rows need, or no credential at all: then the body
// has to prove who calls.
const bearerOrLogin authenticator = "bearer or log-in" //nolint:gosec // a name

const sessionsPath = "/sessions"

// accountRows are sliding tokens and what a user does with his own account. Where
// nobody here can set a password there is no row for it: the path is the back end's.
func (i *Issuer) accountRows() []row {
	post := []string{http.MethodPost, http.MethodOptions}
	own := []string{http.MethodGet, http.MethodDelete, http.MethodHead, http.MethodOptions}
	rows := []row{
		{"issuer:sliding", i.Prefix + "/token/sliding", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).obtainSliding},
		{"issuer:sliding_refresh", i.Prefix + "/token/sliding/refresh", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).refreshSliding},
		{"issuer:sessions", i.Prefix + sessionsPath, bothSlashes, own, -1, tokenTimeout, bearer, (*Issuer).ownSessions},
		{"issuer:session", i.Prefix + sessionsPath + "/:sid", bothSlashes, own, -1, tokenTimeout, bearer, (*Issuer).oneSession},
	}
	if i.ChangePassword != nil {
		rows = append(rows, row{"issuer:password", i.Prefix + "/password", bothSlashes, post, tokenBody, tokenTimeout, bearerOrLogin, (*Issuer).password})
	}
	return rows
}
