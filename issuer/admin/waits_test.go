package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
)

// waiting is the query of a follower who waits for a line that nobody writes.
func waiting(t *testing.T, k *issuerkit.Kit) string {
	t.Helper()
	start := wantDone(t, k.Control(t, "GET", "/admin/v1/audit?after=now", nil), 200)
	return "/audit?actor=nobody&wait=20s&after=" + url.QueryEscape(start["next"].(string))
}

// mustWait waits until so many requests wait.
func mustWait(t *testing.T, k *issuerkit.Kit, n int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); k.Admin.Waiting() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d wait, not %d", k.Admin.Waiting(), n)
		}
	}
}

// TestWaitsAreBounded: one token takes no more places than are its own, and leaves the
// others theirs. Nothing is done by a request that has no place, and its key is free.
func TestWaitsAreBounded(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 2 * admin.WaitsOfOne})
	_, other := k.MustAdminToken(t, "viewer")
	crowd := issuerkit.AdminToken // is good without Redis: so many at once are no load on it
	path := waiting(t, k)
	answers := make(chan issuerkit.Answer, admin.WaitsOfOne)
	for i := range admin.WaitsOfOne {
		go func() { answers <- as(t, k, crowd, "GET", path) }()
		mustWait(t, k, i+1)
	}
	wantCrowded := func(a issuerkit.Answer) {
		t.Helper()
		if a.Status != http.StatusTooManyRequests || !strings.Contains(a.Body, `"too_many_waits"`) || a.Header.Get("Retry-After") != "1" {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
	}
	wantCrowded(as(t, k, crowd, "GET", path))
	as(t, k, crowd, "GET", strings.Replace(path, "wait=20s&", "", 1)).Must(t, 200)
	as(t, k, crowd, "GET", "/audit").Must(t, 200)
	as(t, k, other, "GET", strings.Replace(path, "20s", "1ms", 1)).Must(t, 200)
	mustWait(t, k, admin.WaitsOfOne)
	k.Drain()
	for range admin.WaitsOfOne {
		if body := wantDone(t, <-answers, 200); len(items(t, body)) != 0 || !strings.Contains(path, url.QueryEscape(body["next"].(string))) {
			t.Errorf("%v", body)
		}
	}
	mustWait(t, k, 0)
}

// TestRevocationsThatWaitAreBounded: what has no place is not revoked either.
func TestRevocationsThatWaitAreBounded(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 2 * admin.WaitsOfOne})
	mustEdge(t, k, "one that hangs")
	order := func(value string) issuerkit.Answer {
		h := issuerkit.Bearer(issuerkit.AdminToken)
		h.Set("Idempotency-Key", "key-of-"+value)
		return k.Send(t, issuerkit.Request{
			Method: "POST", Path: revocations, Admin: true, Type: "application/json", Header: h, Body: encoded(t, map[string]any{"kind": "jti", "value": value, "wait": "30s"}),
		})
	}
	answers := make(chan issuerkit.Answer, admin.WaitsOfOne)
	for i := range admin.WaitsOfOne {
		go func() { answers <- order("j" + string(number(i))) }()
		mustWait(t, k, i+1)
	}
	if a := order("late"); a.Status != http.StatusTooManyRequests {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if l := k.MustAudit(t, store.AuditFilter{Target: "late"}, 1)[0]; l.Outcome != store.OutcomeRefused || l.Detail != "too_many_waits" {
		t.Errorf("%+v", l)
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", revocations+"?limit=1000", nil), 200)); len(found) != admin.WaitsOfOne {
		t.Errorf("%d revocations stand", len(found))
	}
	// A process that stops counts once more and answers: the revocation stands.
	k.Drain()
	for range admin.WaitsOfOne {
		wantEdges(t, wantDone(t, <-answers, 201), "1", "0")
	}
	if a := order("late"); a.Status != http.StatusCreated || a.Header.Get("Idempotency-Replayed") != "" {
		t.Errorf("with the same key, once there is room: %d %v %s", a.Status, a.Header, a.Body)
	}
}
