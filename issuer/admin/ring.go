package admin

import (
	"context"
	"encoding/json"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// keyItem is a key with its time line. What has happened stands in signs_from,
// signs_until and published_until; what is to come, as long as nobody turns the
// ring by hand, in the members that begin with planned_.
type keyItem struct {
	ID             string          `json:"kid"`
	Algorithm      string          `json:"algorithm"`
	State          string          `json:"state"`
	CreatedAt      time.Time       `json:"created_at"`
	SignsFrom      *time.Time      `json:"signs_from,omitempty"`
	SignsUntil     *time.Time      `json:"signs_until,omitempty"`
	RevokedAt      *time.Time      `json:"revoked_at,omitempty"`
	PublishedUntil *time.Time      `json:"published_until,omitempty"`
	PlannedFrom    *time.Time      `json:"planned_signs_from,omitempty"`
	PlannedUntil   *time.Time      `json:"planned_signs_until,omitempty"`
	PlannedGone    *time.Time      `json:"planned_published_until,omitempty"`
	TokensUntil    *time.Time      `json:"tokens_until,omitempty"` // no token that it has signed until now lives longer
	SafeFrom       *time.Time      `json:"safe_from,omitempty"`    // of a pending key: every verifier has it
	External       bool            `json:"external,omitempty"`     // the private half is with an external signer
	JWK            json.RawMessage `json:"jwk,omitempty"`          // public; not of a revoked key
}

type ringBody struct {
	Version    uint64    `json:"version"`
	Items      []keyItem `json:"items"`
	Next       string    `json:"next"`
	Changes    []change  `json:"changes,omitempty"`
	WaitingFor []string  `json:"waiting_for,omitempty"` // live edges that hold up a takeover
	Cost       *costBody `json:"cost,omitempty"`        // of a rotation

	SessionsEnded *int   `json:"sessions_ended,omitempty"` // by a revoked key
	Note          string `json:"note,omitempty"`
}

type change struct {
	ID    string `json:"kid"`
	State string `json:"state"`
}

// costBody is what a rotation before its time costs.
type costBody struct {
	// RefusedUntil is until when verifiers that keep an older set may refuse the
	// tokens of the new key.
	RefusedUntil *time.Time `json:"refused_until,omitempty"`
	Edges        []string   `json:"edges_without_the_key,omitempty"`
}

// ringBody shows the ring as this process has it.
func (a *Admin) ringBody(changes []ring.Change) ringBody {
	return ringOf(a.Keys.Ring(), a.Keys.Settings(), a.Keys.Now(), a.Keys.Waiting(), changes)
}

func ringOf(r ring.Ring, s ring.Settings, now time.Time, waiting []string, changes []ring.Change) ringBody {
	out := ringBody{Version: r.Version, Items: []keyItem{}, WaitingFor: waiting}
	for _, l := range r.Timeline(now, s) {
		item := keyItem{
			ID: l.ID, Algorithm: string(l.Algorithm), State: string(l.State), CreatedAt: l.Created.UTC(),
			SignsFrom: timeOrNil(l.Activated), SignsUntil: timeOrNil(l.Retired), RevokedAt: timeOrNil(l.Revoked),
			PublishedUntil: timeOrNil(l.Key.PublishedUntil), TokensUntil: timeOrNil(l.TokensUntil), External: l.Reference != "",
		}
		switch l.State {
		case ring.Pending:
			item.PlannedFrom, item.SafeFrom = timeOrNil(l.SignsFrom), timeOrNil(s.SafeAt(l.Key))
		case ring.Active:
			item.PlannedUntil, item.PlannedGone = timeOrNil(l.SignsUntil), timeOrNil(l.PublishedUntil)
		case ring.Retired, ring.Revoked:
		}
		if l.State != ring.Revoked {
			item.JWK = publicJWK(l.Key)
		}
		out.Items = append(out.Items, item)
	}
	for _, ch := range changes {
		out.Changes = append(out.Changes, change{ch.ID, string(ch.To)})
	}
	return out
}

// publicJWK goes the way of the JWKS, on which no private member can be.
func publicJWK(k ring.Key) json.RawMessage {
	public, err := keys.NewKeyWithID(k.ID, k.Public, k.Algorithm)
	if err != nil {
		return nil
	}
	doc, err := public.JWK()
	if err != nil {
		return nil
	}
	return doc
}

// cost returns what a rotation costs now; nil: nothing.
func (a *Admin) cost(ctx context.Context) *costBody {
	s, now := a.Keys.Settings(), a.Keys.Now()
	out := &costBody{}
	for _, k := range a.Keys.Ring().Keys {
		if safe := s.SafeAt(k); k.State == ring.Pending && safe.After(now) && (out.RefusedUntil == nil || safe.After(*out.RefusedUntil)) {
			out.RefusedUntil = timeOrNil(safe)
		}
	}
	out.Edges = a.Keys.Lacking(ctx)
	if out.RefusedUntil == nil && len(out.Edges) == 0 {
		return nil
	}
	return out
}
