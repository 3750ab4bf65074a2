//go:build chaos

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// held is a token that a witness holds, and what it knows of its revocation.
type held struct {
	raw   string
	order map[string]string // by which it is revoked
	// acked is when its revocation was acknowledged, everywhere whether every edge
	// had applied it by then. Zero: it was not, as far as anybody knows.
	acked      atomic.Int64
	everywhere atomic.Bool
}

// mustRefuse says whether an edge that is asked now must refuse the token: its
// revocation was acknowledged, and either every edge has said that it knows, or an
// edge that does not know by now must not answer.
func (h *held) mustRefuse(now time.Time) bool {
	at := h.acked.Load()
	return at != 0 && (h.everywhere.Load() || now.Sub(time.Unix(0, at)) > maxStale)
}

// wantEnded waits until an edge refuses the token. That it passes is a fault when the
// edge was asked later after its end than it may be behind.
func (s *system) wantEnded(raw string) {
	s.tb.Helper()
	began := time.Now()
	s.eventually("refused", 20*time.Second, func() bool {
		behind := time.Since(began)
		status := s.call(raw).Status
		if status == http.StatusOK && behind > maxStale {
			s.tb.Errorf("it passes %s after its end", behind)
		}
		return status == http.StatusUnauthorized
	})
}

// mintHeld makes a token of the foreign issuer, of a subject of its own.
func (f *stranger) mintHeld(n int64) *held {
	subject, jti := fmt.Sprint("s", n), fmt.Sprint("j", n)
	h := &held{raw: f.mint(subject, jti), order: map[string]string{"kind": "jti", "value": jti, "issuer": foreignIssuer}}
	switch n % 5 {
	case 0:
		h.order["kind"], h.order["value"] = "subject", subject
	default:
		h.order["expires_at"] = time.Now().Add(3 * time.Hour).UTC().Format(time.RFC3339)
	}
	return h
}

// logInHeld makes a session of our own; nil when nobody can log in now.
func (f *fleet) logInHeld() *held {
	r, err := f.Home.send("POST", f.Home.Public+"/api/token/", map[string]string{"username": ada, "password": adaPassword})
	var p pair
	if err != nil || r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &p) != nil {
		return nil
	}
	sid, _ := claimsOf(f.tb, p.Access)["sid"].(string)
	return &held{raw: p.Access, order: map[string]string{"kind": "session", "value": sid}}
}

// logInHeldAnew is logInHeld by a user that is added first: the store was lost.
func (f *fleet) logInHeldAnew() *held {
	f.tb.Helper()
	f.Home.mustAddUser(ada, adaPassword)
	return f.logInHeld()
}

// revoke asks once for the revocation, and notes whether every edge has applied it;
// what was not acknowledged may stand all the same.
func (h *held) revoke(s *system, wait string) (acknowledged bool) {
	order := h.order
	if wait != "" {
		order = map[string]string{"wait": wait}
		for k, v := range h.order {
			order[k] = v
		}
	}
	r, err := s.send("POST", s.Admin+"/admin/v1/revocations", order, bearer(rootToken)...)
	if err != nil || r.Status != http.StatusCreated {
		return false
	}
	var answer struct {
		Edges struct {
			Live, Applied int
			Unknown       bool
		}
	}
	if json.Unmarshal([]byte(r.Body), &answer) == nil && wait != "" && !answer.Edges.Unknown && answer.Edges.Live > 0 && answer.Edges.Applied == answer.Edges.Live {
		h.everywhere.Store(true)
	}
	return true
}
