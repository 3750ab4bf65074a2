package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// shownOfMany is how many of the sessions that would end are listed.
const shownOfMany = 20

// maxTicked is how many sessions one form may end.
const maxTicked = 1000

// ending is what is about to be ended, shown before it is done.
type ending struct {
	Subject string
	Name    string // under which the newest log-in was
	More    int    // live ones beside Items
	SIDs    []string
	Items   []signIn
	Live    int
	Back    string
}

// ticked returns the sessions that were chosen in a form, each once.
func (v *visit) ticked() ([]string, error) {
	sids := slices.Clone(v.r.PostForm["sid"])
	slices.Sort(sids)
	sids = slices.Compact(sids)
	if len(sids) > maxTicked {
		return nil, &refusal{Status: http.StatusUnprocessableEntity, Title: "Too many sessions", Detail: "At most 1000 sessions are ended at once."}
	}
	return sids, nil
}

func sessionsPage(subject string) string {
	if subject == "" {
		return "/sessions"
	}
	return "/sessions?q=" + url.QueryEscape(subject)
}

func confirmEnd(v *visit) error {
	sids, err := v.ticked()
	if err != nil {
		return err
	}
	d := &ending{Subject: v.field("subject"), SIDs: sids}
	d.Back = sessionsPage(d.Subject)
	if len(sids) == 0 {
		return v.back(d.Back, &refusal{Status: http.StatusUnprocessableEntity, Detail: "Nothing was chosen: tick the sessions to be ended."})
	}
	return v.show("confirm", http.StatusOK, &page{Title: "End sessions", Nav: "/sessions", Data: d, Twin: v.endTwin(sids)})
}

// endTwin ends each of the sessions, and not only the first.
func (v *visit) endTwin(sids []string) twin {
	if len(sids) == 1 {
		return twin{Command: "tollgate sessions revoke --yes " + value(sids[0]), Curl: v.curl(http.MethodDelete, endpoint("sessions", sids[0]), "")}
	}
	each := "for sid in"
	for _, sid := range sids {
		each += " " + quote(sid)
	}
	each += "; do "
	// Between double quotes, so that the shell puts the sid in.
	address := strings.ReplaceAll(v.curl(http.MethodDelete, endpoint("sessions"), ""), quote(v.base()+endpoint("sessions")), `"`+v.base()+endpoint("sessions")+`/$sid"`)
	return twin{Command: each + `tollgate sessions revoke --yes -- "$sid"; done`, Curl: each + address + "; done"}
}

// endSessions ends them one after the other, and says of a failure how far it came.
func endSessions(v *visit) error {
	sids, err := v.ticked()
	if err != nil {
		return err
	}
	to := sessionsPage(v.field("subject"))
	done := 0
	for _, sid := range sids {
		err := v.call(http.MethodDelete, endpoint("sessions", sid), nil, nil)
		var refused *refusal
		if errors.As(err, &refused) && !isOver(err) {
			refused.Detail = plural(done, "session was", "sessions were") + " ended, then: " + refused.Error()
			return v.back(to, refused)
		}
		if err != nil {
			return err
		}
		done++
	}
	return v.done(to, "%s ended. Their access tokens are refused at every edge from now on.", plural(done, "session was", "sessions were"))
}

// subject is whose sessions are meant. It does not stand in the path: a subject may be
// anything, and a browser takes two dots there for a step up.
func (v *visit) subject() (string, error) {
	given := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		given = v.r.PostForm
	}
	sub := given.Get("subject")
	if sub == "" {
		return "", &refusal{Status: http.StatusUnprocessableEntity, Title: "Whose sessions?", Detail: "Nothing was done: no user was named."}
	}
	return sub, nil
}

func confirmEverywhere(v *visit) error {
	sub, err := v.subject()
	if err != nil {
		return err
	}
	d, err := v.endingOf(sub)
	if err != nil {
		return err
	}
	d.Back = sessionsPage(sub)
	return v.show("everywhere", http.StatusOK, &page{
		Title: "Sign out everywhere", Nav: "/sessions", Data: d,
		Twin: twin{
			Command: "tollgate revoke subject --yes " + value(sub),
			Curl:    v.curl(http.MethodDelete, endpoint("subjects", sub, "sessions"), ""),
		},
	})
}

// endingOf is what ends with all sessions of a subject.
func (v *visit) endingOf(sub string) (*ending, error) {
	found := &sessionsData{Subject: sub}
	if err := v.sessionsOf(found); err != nil {
		return nil, err
	}
	d := &ending{Subject: sub, Name: found.Name, Live: found.Live}
	for _, s := range found.Items {
		if s.Live() && len(d.Items) < shownOfMany {
			d.Items = append(d.Items, s)
		}
	}
	d.More = d.Live - len(d.Items)
	return d, nil
}

func endEverywhere(v *visit) error {
	sub, err := v.subject()
	if err != nil {
		return err
	}
	to := sessionsPage(sub)
	if err := v.call(http.MethodDelete, endpoint("subjects", sub, "sessions"), nil, nil); err != nil {
		return v.back(to, err)
	}
	return v.done(to, "Every session of %s up to now has ended.", sub)
}
