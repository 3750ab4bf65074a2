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
	Action  string
	Target  string
	From    string
	Outcome string
	More    string
}

type auditData struct {
	Items         []trace
	Next          string
	Actor, Action string
}

func showAudit(v *visit) error {
	d := &auditData{Actor: v.field("actor"), Action: v.field("action")}
	where := query(endpoint("audit"), "actor", d.Actor, "action", d.Action)
	var found list[map[string]any]
	if err := v.call(http.MethodGet, query(endpoint("audit"), "actor", d.Actor, "action", d.Action, "cursor", v.field("cursor")), nil, &found); err != nil {
		return err
	}
	for _, item := range found.Items {
		d.Items = append(d.Items, traceOf(item))
	}
	if found.Next != "" {
		d.Next = query("/audit", "actor", d.Actor, "action", d.Action, "cursor", found.Next)
	}
	return v.show("audit", http.StatusOK, &page{Title: "Audit", Nav: "/audit", Data: d, Twin: twin{
		Command: "tollgate audit", Curl: v.curl(http.MethodGet, where, ""),
	}})
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
