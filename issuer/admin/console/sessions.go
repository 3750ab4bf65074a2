package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// signIn is a session of a user, as the API shows it.
type signIn struct {
	SID         string     `json:"sid"`
	Subject     string     `json:"subject"`
	Username    string     `json:"username"`
	Address     string     `json:"address"`
	Agent       string     `json:"agent"`
	State       string     `json:"state"`
	Generation  int64      `json:"generation"`
	CreatedAt   time.Time  `json:"created_at"`
	LastRefresh *time.Time `json:"last_refresh"`
	ExpiresAt   *time.Time `json:"expires_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Reason      string     `json:"reason"`
	Actor       string     `json:"actor"`
	Tokens      []minted   `json:"tokens"`
}

// minted is a token of the session of which a record is kept: never the token.
type minted struct {
	Type       string    `json:"type"`
	JTI        string    `json:"jti"`
	Generation int64     `json:"generation"`
	IssuedAt   time.Time `json:"issued_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// Live reports whether there is something to end.
func (s signIn) Live() bool { return s.State == "live" || s.State == "unknown" || s.State == "ending" }

type sessionsData struct {
	Query   string
	Subject string // the id that the query came to
	Name    string // under which the newest of them logged in
	Items   []signIn
	Live    int
	Asked   bool
}

// sidLength is that of our sids: 24 bytes in base64url.
const sidLength = 32

// listSessions looks for a sid, a user's id, and a user's name, in this order.
func listSessions(v *visit) error {
	d := &sessionsData{Query: v.field("q")}
	d.Asked = d.Query != ""
	p := &page{Title: "Sessions", Nav: "/sessions", Data: d, Twin: twin{
		Command: "tollgate sessions list --subject ID", Curl: v.curl(http.MethodGet, endpoint("sessions")+"?subject=ID", ""),
	}}
	if !d.Asked {
		// Asked for nothing, it still tells whether there are sessions here at all.
		if err := v.call(http.MethodGet, query(endpoint("sessions"), "subject", "?"), nil, nil); absent(err) || isOver(err) {
			return err
		}
		return v.show("sessions", http.StatusOK, p)
	}
	if len(d.Query) == sidLength {
		var one signIn
		err := v.call(http.MethodGet, endpoint("sessions", d.Query), nil, &one)
		if err == nil {
			return v.redirect("/sessions/" + url.PathEscape(one.SID))
		}
		if !missing(err) {
			return err
		}
	}
	if err := v.findSessions(d); err != nil {
		return err
	}
	p.Twin = twin{
		Command: "tollgate sessions list --subject " + quote(d.Subject),
		Curl:    v.curl(http.MethodGet, query(endpoint("sessions"), "subject", d.Subject), ""),
	}
	return v.show("sessions", http.StatusOK, p)
}

func (v *visit) findSessions(d *sessionsData) error {
	d.Subject = d.Query
	err := v.sessionsOf(d)
	if err != nil || len(d.Items) > 0 {
		return err
	}
	id, err := v.userID(d.Query)
	if err != nil || id == "" {
		return err
	}
	d.Subject = id
	return v.sessionsOf(d)
}

func (v *visit) sessionsOf(d *sessionsData) error {
	var found list[signIn]
	if err := v.call(http.MethodGet, query(endpoint("sessions"), "subject", d.Subject), nil, &found); err != nil {
		return err
	}
	d.Items, d.Live = found.Items, 0
	if len(found.Items) > 0 {
		d.Name = found.Items[0].Username
	}
	for _, s := range found.Items {
		if s.Live() {
			d.Live++
		}
	}
	return nil
}

// userID returns the id of the user of that name; empty: there is none. A process
// that cannot look one user up is asked for its list, as far as one page of it goes.
func (v *visit) userID(name string) (string, error) {
	var one user
	err := v.call(http.MethodGet, endpoint("users", name), nil, &one)
	if err == nil {
		return one.ID, nil
	}
	if isOver(err) {
		return "", err
	}
	var all list[user]
	if err := v.call(http.MethodGet, endpoint("users")+"?limit=1000", nil, &all); err != nil && isOver(err) {
		return "", err
	}
	for _, u := range all.Items {
		if strings.EqualFold(u.Username, name) {
			return u.ID, nil
		}
	}
	return "", nil
}

func showSession(v *visit) error {
	sid := v.r.PathValue("sid")
	var one signIn
	if err := v.call(http.MethodGet, endpoint("sessions", sid), nil, &one); err != nil {
		return err
	}
	return v.show("session", http.StatusOK, &page{Title: "Session", Nav: "/sessions", Data: one, Twin: twin{
		Command: "tollgate sessions show " + value(sid), Curl: v.curl(http.MethodGet, endpoint("sessions", sid), ""),
	}})
}
