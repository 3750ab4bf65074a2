package console

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// trace is one line of the audit log. Members that have no column of their own stand
// behind the others: nothing of the record is left out.
type trace struct {
	At      time.Time
	Actor   string
	Role    string
	Action  string
	Kind    string
	Target  string
	Session string
	From    string
	Via     string
	Outcome string
	Detail  string
	More    string
}

// Tag is the colour of the outcome.
func (t trace) Tag() string {
	switch t.Outcome {
	case "done":
		return "ok"
	case "begun":
		return "behind"
	}
	return "failed"
}

type auditData struct {
	Items         []trace
	Next          string
	Actor, Action string
	Target        string
	Outcome       string
	Outcomes      []string
}

// filter is what is asked for, as pairs of a query.
func (d *auditData) filter(more ...string) []string {
	return append([]string{"actor", d.Actor, "action", d.Action, "target", d.Target, "outcome", d.Outcome}, more...)
}

func showAudit(v *visit) error {
	d := &auditData{
		Actor: v.field("actor"), Action: v.field("action"), Target: v.field("target"), Outcome: v.field("outcome"),
		Outcomes: []string{"done", "refused", "failed", "begun"},
	}
	var found list[map[string]any]
	if err := v.call(http.MethodGet, query(endpoint("audit"), d.filter("cursor", v.field("cursor"))...), nil, &found); err != nil {
		return err
	}
	for _, item := range found.Items {
		d.Items = append(d.Items, traceOf(item))
	}
	if found.Next != "" {
		d.Next = query("/audit", d.filter("cursor", found.Next)...)
	}
	return v.show("audit", http.StatusOK, &page{Title: "Audit", Nav: "/audit", Data: d, Twin: twin{
		Command: d.command(), Curl: v.curl(http.MethodGet, query(endpoint("audit"), d.filter()...), "") + " -H 'Accept: application/x-ndjson'",
	}})
}

// command is the line of a shell that asks the same.
func (d *auditData) command() string {
	line := "tollgate audit"
	for pair := range slices.Chunk(d.filter(), 2) {
		if pair[1] != "" {
			line += " --" + pair[0] + " " + quote(pair[1])
		}
	}
	return line
}

func traceOf(item map[string]any) trace {
	item = maps.Clone(item)
	take := func(names ...string) string {
		for _, name := range names {
			if x, ok := item[name]; ok && x != nil && x != "" {
				delete(item, name)
				return fmt.Sprint(x)
			}
		}
		return ""
	}
	t := trace{
		Actor: take("actor", "who"), Action: take("action", "what", "event"), Target: take("target", "value", "object"),
		From: take("remote", "address", "from"), Outcome: take("outcome", "result", "status"),
		Role: take("role"), Kind: take("kind"), Session: take("session"), Via: take("via"), Detail: take("detail"),
	}
	t.At, _ = time.Parse(time.RFC3339Nano, take("at", "time", "when"))
	var more []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		if x := item[name]; x != nil && x != "" {
			more = append(more, fmt.Sprintf("%s=%v", name, x))
		}
	}
	t.More = strings.Join(more, " ")
	return t
}
