package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/keys/ring"
)

// keyItem is a key as the admin API shows it.
type keyItem struct {
	ID             string          `json:"kid"`
	Algorithm      string          `json:"algorithm"`
	State          string          `json:"state"`
	CreatedAt      *time.Time      `json:"created_at"`
	SignsFrom      *time.Time      `json:"signs_from,omitempty"`
	SignsUntil     *time.Time      `json:"signs_until,omitempty"`
	RevokedAt      *time.Time      `json:"revoked_at,omitempty"`
	PublishedUntil *time.Time      `json:"published_until,omitempty"`
	PlannedFrom    *time.Time      `json:"planned_signs_from,omitempty"`
	PlannedUntil   *time.Time      `json:"planned_signs_until,omitempty"`
	PlannedGone    *time.Time      `json:"planned_published_until,omitempty"`
	TokensUntil    *time.Time      `json:"tokens_until,omitempty"`
	SafeFrom       *time.Time      `json:"safe_from,omitempty"`
	External       bool            `json:"external,omitempty"`
	JWK            json.RawMessage `json:"jwk,omitempty"`
}

type keyRing struct {
	Version uint64    `json:"version"`
	Items   []keyItem `json:"items"`
	Changes []struct {
		ID    string `json:"kid"`
		State string `json:"state"`
	} `json:"changes,omitempty"`
	WaitingFor []string `json:"waiting_for,omitempty"`
	Cost       *struct {
		RefusedUntil *time.Time `json:"refused_until,omitempty"`
		Edges        []string   `json:"edges_without_the_key,omitempty"`
	} `json:"cost,omitempty"`
	SessionsEnded *int   `json:"sessions_ended,omitempty"`
	Note          string `json:"note,omitempty"`
}

// keyRingOf shows a ring that was read from its store.
func keyRingOf(r ring.Ring, s ring.Settings, changes []ring.Change) keyRing {
	some := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	out := keyRing{Version: r.Version, Items: []keyItem{}}
	for _, l := range r.Timeline(time.Now(), s) {
		item := keyItem{
			ID: l.ID, Algorithm: string(l.Algorithm), State: string(l.State), CreatedAt: some(l.Created), SignsFrom: some(l.Activated),
			SignsUntil: some(l.Retired), RevokedAt: some(l.Revoked), PublishedUntil: some(l.Key.PublishedUntil), TokensUntil: some(l.TokensUntil),
			External: l.Reference != "",
		}
		switch l.State {
		case ring.Pending:
			item.PlannedFrom, item.SafeFrom = some(l.SignsFrom), some(s.SafeAt(l.Key))
		case ring.Active:
			item.PlannedUntil, item.PlannedGone = some(l.SignsUntil), some(l.PublishedUntil)
		case ring.Retired, ring.Revoked:
		}
		out.Items = append(out.Items, item)
	}
	for _, ch := range changes {
		out.Changes = append(out.Changes, struct {
			ID    string `json:"kid"`
			State string `json:"state"`
		}{ch.ID, string(ch.To)})
	}
	return out
}

// ring calls a row that answers with the ring and shows it.
func (c *cli) ring(cmd *cobra.Command, method, path string, body any) error {
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var r keyRing
	if err := admin.call(cmd.Context(), method, path, body, &r); err != nil {
		return err
	}
	return c.showRing(r)
}

// showRing prints the time line. What is to come has a tilde before it.
func (c *cli) showRing(r keyRing) error {
	var rows [][]string
	for _, k := range r.Items {
		until := either(k.PublishedUntil, k.PlannedGone)
		alive := "none"
		switch {
		case k.State == "revoked":
			until, alive = "withdrawn", "refused"
		case k.TokensUntil != nil:
			alive = "until " + when(k.TokensUntil)
		}
		rows = append(rows, []string{
			k.State, k.Algorithm, k.ID, when(k.CreatedAt), either(k.SignsFrom, k.PlannedFrom), either(k.SignsUntil, k.PlannedUntil), until, alive,
		})
	}
	head := []string{"STATE", "ALGORITHM", "KID", "CREATED", "SIGNS FROM", "SIGNS UNTIL", "PUBLISHED UNTIL", "TOKENS ALIVE"}
	if err := c.print(r, head, rows); err != nil {
		return err
	}
	for _, change := range r.Changes {
		state := "is now " + change.State
		if change.State == "" {
			state = "is gone"
		}
		fmt.Fprintf(c.err, "%s %s\n", change.ID, state)
	}
	if len(r.WaitingFor) > 0 {
		fmt.Fprintf(c.err, "the next key waits for edges that do not have it yet: %s\n", strings.Join(r.WaitingFor, ", "))
	}
	if r.SessionsEnded != nil {
		fmt.Fprintf(c.err, "live sessions ended: %d\n", *r.SessionsEnded)
	}
	if r.Note != "" {
		fmt.Fprintln(c.err, r.Note)
	}
	return nil
}

// either shows what has happened, else what is planned.
func either(happened, planned *time.Time) string {
	if happened != nil || planned == nil {
		return when(happened)
	}
	return "~" + when(planned)
}

// rotationPlan says what a rotation does and, before its time, what it costs.
func (c *cli) rotationPlan(cmd *cobra.Command, now bool) (string, error) {
	plan := "The pending key will sign from now on. Tokens of the present one stay valid until they expire."
	if !now {
		return plan, nil
	}
	admin, err := c.admin()
	if err != nil {
		return "", err
	}
	var r keyRing
	if err := admin.call(cmd.Context(), http.MethodGet, "/admin/v1/keys", nil, &r); err != nil {
		return "", err
	}
	cost := ""
	for _, k := range r.Items {
		if k.State == "pending" && k.SafeFrom != nil && k.SafeFrom.After(time.Now()) {
			cost += fmt.Sprintf("\n--now: the pending %s key is published since %s. Verifiers that cached the key set before refuse its tokens until they\nfetch it again, at the latest at %s.",
				k.Algorithm, when(k.CreatedAt), when(k.SafeFrom))
		}
	}
	if len(r.WaitingFor) > 0 {
		cost += "\n--now: these edges do not have it yet and refuse its tokens until they do: " + strings.Join(r.WaitingFor, ", ")
	}
	if cost == "" {
		cost = "\n--now: it costs nothing: every verifier has the pending key."
	}
	return plan + cost, nil
}
