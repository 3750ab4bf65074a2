package console

import (
	"net/http"
	"net/url"
	"slices"
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

	Impersonator string      `json:"impersonator"`
	Refreshes    []refreshed `json:"refreshes"`
}

// refreshed is a refresh token of the session, spent or not: never the token.
type refreshed struct {
	Generation int64      `json:"generation"`
	JTI        string     `json:"jti"`
	IssuedAt   time.Time  `json:"issued_at"`
	SpentAt    *time.Time `json:"spent_at"`
	Address    string     `json:"address"`
	Agent      string     `json:"agent"`
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
	Subject string // the id that the query came to; empty: everybody's
	Name    string // under which the newest of them logged in
	Items   []signIn
	Live    int
	Unknown int // of them nobody can say
	Asked   bool
	All     bool // each that can be ended is ticked
	Next    string
}

const (
	// sidLength is that of our sids: 24 bytes in base64url.
	sidLength = 32
	// everybodys is how many sessions a page has where nobody is asked for.
	everybodys = "50"
)

// listSessions looks for a sid, the jti of a refresh token, a user's id, and a user's
// name, in this order; asked for nothing, it lists everybody's.
func listSessions(v *visit) error {
	d := &sessionsData{Query: v.field("q"), All: v.field("all") != ""}
	if d.Asked = d.Query != ""; !d.Asked {
		return v.everybody(d)
	}
	sid, err := v.sidOf(d.Query)
	if err != nil {
		return err
	}
	if sid != "" {
		return v.redirect("/sessions/" + url.PathEscape(sid))
	}
	if err := v.findSessions(d); err != nil {
		return err
	}
	return v.show("sessions", http.StatusOK, &page{Title: "Sessions", Nav: "/sessions", Data: d, Twin: twin{
		Command: "tollgate sessions list --subject " + quote(d.Subject),
		Curl:    v.curl(http.MethodGet, query(endpoint("sessions"), "subject", d.Subject), ""),
	}})
}

func (v *visit) everybody(d *sessionsData) error {
	var found list[signIn]
	if err := v.call(http.MethodGet, query(endpoint("sessions"), "limit", everybodys, "cursor", v.field("cursor")), nil, &found); err != nil {
		return err
	}
	d.take(found.Items)
	if found.Next != "" {
		d.Next = query("/sessions", "cursor", found.Next)
	}
	return v.show("sessions", http.StatusOK, &page{Title: "Sessions", Nav: "/sessions", Data: d, Twin: twin{
		Command: "tollgate sessions list", Curl: v.curl(http.MethodGet, query(endpoint("sessions"), "limit", everybodys), ""),
	}})
}

// sidOf returns the session that a text names by its sid, or by the jti of a refresh
// token; empty: none.
func (v *visit) sidOf(text string) (string, error) {
	if len(text) == sidLength {
		var one signIn
		err := v.call(http.MethodGet, endpoint("sessions", text), nil, &one)
		if err == nil {
			return one.SID, nil
		}
		if !missing(err) {
			return "", err
		}
	}
	var found list[signIn]
	if err := v.call(http.MethodGet, query(endpoint("sessions"), "jti", text), nil, &found); err != nil || len(found.Items) == 0 {
		return "", err
	}
	return found.Items[0].SID, nil
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
	d.take(found.Items)
	// Those in which the user acts for another are among them.
	if i := slices.IndexFunc(d.Items, func(s signIn) bool { return s.Subject == d.Subject }); i >= 0 {
		d.Name = d.Items[i].Username
	}
	return nil
}

func (d *sessionsData) take(items []signIn) {
	d.Items, d.Live, d.Unknown = items, 0, 0
	for _, s := range items {
		if s.State == "unknown" {
			d.Unknown++
		}
		if s.Live() {
			d.Live++
		}
	}
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
