package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// revoked is a revocation as the API shows it.
type revoked struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`
	Issuer    string     `json:"issuer"`
	Subject   string     `json:"subject"`
	Reason    string     `json:"reason"`
	Actor     string     `json:"actor"`
	RevokedAt time.Time  `json:"revoked_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	UndoneAt  *time.Time `json:"undone_at"`
	N         uint64     `json:"n"`
	Edges     *struct {
		Live    int  `json:"live"`
		Applied int  `json:"applied"`
		Unknown bool `json:"unknown"`
	} `json:"edges"`

	Reached reached `json:"-"`
}

// reached is how many of the live edges have applied a revocation.
type reached struct {
	Live, Applied int
	Known         bool
	Behind        []string
}

// reach compares a revocation's place in the feed with those of the edges. An edge
// that still loads has applied nothing.
func reach(n uint64, edges []edge) reached {
	out := reached{Known: n > 0}
	for _, e := range edges {
		if !e.Live {
			continue
		}
		out.Live++
		if e.Epoch != "" && e.N >= n {
			out.Applied++
		} else {
			out.Behind = append(out.Behind, e.Name)
		}
	}
	return out
}

// kinds are what can be revoked in the form, with what is to be entered.
func kinds() []choice {
	return []choice{
		{"jti", "One token, by its jti"}, {"token", "One token, pasted whole"}, {"session", "One session, by its sid"},
		{"subject", "All sessions of a user, by the user's id"}, {"key", "All tokens of a key, by its kid"}, {"all", "Everything issued up to now"},
	}
}

type choice struct{ Value, Text string }

type revocationsData struct {
	Kind, Subject string
	Items         []revoked
	Next          string
	Kinds         []choice
}

func listRevocations(v *visit) error {
	d := &revocationsData{Kind: v.field("kind"), Subject: v.field("subject"), Kinds: kinds()}
	where := query(endpoint("revocations"), "kind", d.Kind, "subject", d.Subject, "cursor", v.field("cursor"), "limit", "50")
	var found list[revoked]
	if err := v.call(http.MethodGet, where, nil, &found); err != nil {
		return err
	}
	edges, err := v.edges()
	if err != nil {
		return err
	}
	for i := range found.Items {
		found.Items[i].Reached = reach(found.Items[i].N, edges)
	}
	d.Items = found.Items
	if found.Next != "" {
		d.Next = query("/revocations", "kind", d.Kind, "subject", d.Subject, "cursor", found.Next)
	}
	command := "tollgate revocations list"
	if d.Kind != "" {
		command += " --kind " + quote(d.Kind)
	}
	if d.Subject != "" {
		command += " --subject " + quote(d.Subject)
	}
	return v.show("revocations", http.StatusOK, &page{Title: "Revocations", Nav: "/revocations", Data: d, Twin: twin{
		Command: command, Curl: v.curl(http.MethodGet, query(endpoint("revocations"), "kind", d.Kind, "subject", d.Subject), ""),
	}})
}

// edges returns who follows; nobody when that cannot be told: the list is no worse
// for it.
func (v *visit) edges() ([]edge, error) {
	var found list[edge]
	if err := v.call(http.MethodGet, endpoint("edges"), nil, &found); isOver(err) {
		return nil, err
	}
	return found.Items, nil
}

// addRevocation waits a little for the edges: then the page that follows says that it
// is done, and not that it will be.
func addRevocation(v *visit) error {
	kind, value := v.field("kind"), v.field("value")
	if kind == "all" && v.field("sure") == "" {
		return v.back("/revocations", &refusal{Status: http.StatusUnprocessableEntity, Detail: "To revoke everything issued up to now, tick that you mean it: everybody has to log in again."})
	}
	if !slices.ContainsFunc(kinds(), func(c choice) bool { return c.Value == kind }) || value == "" && kind != "all" {
		return v.back("/revocations", &refusal{Status: http.StatusUnprocessableEntity, Detail: "Say what is to be revoked: its kind and its value."})
	}
	body := map[string]any{"kind": kind, "value": value, "reason": v.field("reason"), "wait": "2s"}
	if life := v.field("life"); life != "" {
		d, err := time.ParseDuration(life)
		if err != nil || d <= 0 {
			return v.back("/revocations", &refusal{Status: http.StatusUnprocessableEntity, Detail: "How long is a duration such as 24h; empty: as long as such tokens live."})
		}
		body["expires_at"] = v.console.Now().Add(d).UTC()
	}
	var made revoked
	if err := v.call(http.MethodPost, endpoint("revocations"), body, &made); err != nil {
		return v.back("/revocations", err)
	}
	to := "/revocations/" + url.PathEscape(made.ID)
	switch e := made.Edges; {
	case e == nil || e.Unknown:
		return v.done(to, "Revoked. How many edges have applied it is not known.")
	case e.Live == 0:
		return v.done(to, "Revoked. No edge follows the revocations that would have to be waited for.")
	case e.Applied < e.Live:
		return v.done(to, "Revoked. %d of %s applied it so far.", e.Applied, plural(e.Live, "edge has", "edges have"))
	default:
		return v.done(to, "Revoked, and applied by every edge (%d).", e.Live)
	}
}

type revocationData struct {
	revoked
	All []edge
}

func showRevocation(v *visit) error {
	id := v.r.PathValue("id")
	d := revocationData{}
	if err := v.call(http.MethodGet, endpoint("revocations", id), nil, &d.revoked); err != nil {
		return err
	}
	var err error
	if d.All, err = v.edges(); err != nil {
		return err
	}
	d.Reached = reach(d.N, d.All)
	return v.show("revocation", http.StatusOK, &page{Title: "Revocation", Nav: "/revocations", Data: d, Twin: twin{
		Command: "tollgate unrevoke " + quote(id), Curl: v.curl(http.MethodDelete, endpoint("revocations", id), ""),
	}})
}

func undoRevocation(v *visit) error {
	id := v.r.PathValue("id")
	to := "/revocations/" + url.PathEscape(id)
	if err := v.call(http.MethodDelete, endpoint("revocations", id), nil, nil); err != nil {
		return v.back(to, err)
	}
	return v.done(to, "Undone. A session that was ended stays ended.")
}
