package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
)

// keyed sends a POST with an idempotency key.
func keyed(t *testing.T, k *issuerkit.Kit, key, path, body string) issuerkit.Answer {
	t.Helper()
	h := issuerkit.Bearer(issuerkit.AdminToken)
	h.Set("Idempotency-Key", key)
	return k.Send(t, issuerkit.Request{Method: "POST", Path: path, Admin: true, Header: h, Type: "application/json", Body: body})
}

// wantReplay: the same status, type and body, and the word that it was not done again.
func wantReplay(t *testing.T, first, second issuerkit.Answer) {
	t.Helper()
	if second.Status != first.Status || second.Body != first.Body || second.Header.Get("Content-Type") != first.Header.Get("Content-Type") {
		t.Errorf("first %d %s, then %d %s", first.Status, first.Body, second.Status, second.Body)
	}
	if first.Header.Get("Idempotency-Replayed") != "" || second.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("headers %v, then %v", first.Header, second.Header)
	}
	if second.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", second.Header)
	}
}

// TestIdempotencyKey: what would be another one the second time is the same one, a
// secret that is shown once too.
func TestIdempotencyKey(t *testing.T) {
	for name, row := range map[string]struct {
		path, body string
		status     int
		shows      string
	}{
		"a cut-off":            {revocations, `{"kind":"subject","value":"1"}`, 201, `"id"`},
		"a client's secret":    {"/admin/v1/clients", `{"name":"reports"}`, 201, `"secret"`},
		"a token":              {"/admin/v1/tokens", `{"subject":"1"}`, 201, `"token"`},
		"a user":               {"/admin/v1/users", `{"username":"carol","password":"` + issuerkit.Password + `"}`, 201, `"id"`},
		"a refusal":            {"/admin/v1/users", `{"username":"alice","password":"` + issuerkit.Password + `"}`, 409, `"exists"`},
		"an invalid one":       {revocations, `{"kind":"x"}`, 422, `"invalid"`},
		"no body":              {"/admin/v1/keys/rotate", "", 409, `"not_yet_published"`},
		"a body that is not":   {revocations, "x", 400, `"bad_request"`},
		"a rotation":           {"/admin/v1/keys/rotate", `{"now":true}`, 200, `"version"`},
		"an answer that is no": {"/admin/v1/routes/check", `{"url":"/"}`, 404, `"not_here"`},
	} {
		t.Run(name, func(t *testing.T) {
			k := opened(t, issuerkit.Options{})
			first := keyed(t, k, "5f0c-1", row.path, row.body).Must(t, row.status)
			if !strings.Contains(first.Body, row.shows) {
				t.Errorf("%s", first.Body)
			}
			wantReplay(t, first, keyed(t, k, " 5f0c-1 ", row.path, row.body))
			// Another body, another path, and a query are another request.
			for _, other := range [][2]string{{row.path, row.body + " "}, {"/admin/v1/recover", row.body}, {row.path + "?x", row.body}} {
				wantProblem(t, keyed(t, k, "5f0c-1", other[0], other[1]), 422, "idempotency_key_reused")
			}
			another := keyed(t, k, "5f0c-2", row.path, row.body)
			if another.Header.Get("Idempotency-Replayed") != "" {
				t.Error("another key is the same one")
			}
			if row.status < 300 && another.Body == first.Body {
				t.Errorf("another key has the same answer: %s", another.Body)
			}
		})
	}
}

// TestIdempotencyKeyForms: what is a key, and which rows look at it.
func TestIdempotencyKeyForms(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for _, key := range []string{"", " ", "a b", "ä", strings.Repeat("x", 256)} {
		wantProblem(t, keyed(t, k, key, revocations, `{"kind":"jti","value":"j"}`), 400, "idempotency_key")
	}
	h := issuerkit.Bearer(issuerkit.AdminToken)
	h["Idempotency-Key"] = []string{"a", "a"}
	wantProblem(t, k.Send(t, issuerkit.Request{Path: revocations, Admin: true, Header: h, Body: `{"kind":"jti","value":"j"}`}), 400, "idempotency_key")
	if got := items(t, wantDone(t, k.Control(t, "GET", revocations, nil), 200)); len(got) != 0 {
		t.Errorf("something was done: %v", got)
	}
	wantDone(t, keyed(t, k, `"`+strings.Repeat("x", 253)+`"`, revocations, `{"kind":"jti","value":"j"}`), 201)
	h["Idempotency-Key"] = []string{"k"}
	for range 2 { // other methods may come again as they are
		a := k.Send(t, issuerkit.Request{Method: "GET", Path: revocations, Admin: true, Header: h})
		if a.Must(t, 200); a.Header.Get("Idempotency-Replayed") != "" {
			t.Error("a GET was replayed")
		}
	}
	// Who bears no token learns nothing, and a body that does not come takes no place.
	wantProblem(t, k.Send(t, issuerkit.Request{Path: revocations, Admin: true, Header: http.Header{"Idempotency-Key": {"k"}}}), 401, "admin_token_required")
	wantProblem(t, keyed(t, k, "k", revocations, strings.Repeat("x", 65<<10)), 413, "body_too_large")
	wantDone(t, keyed(t, k, "k", revocations, `{"kind":"jti","value":"j2"}`), 201)
	a, err := admin.New(admin.Config{Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier})
	if err != nil {
		t.Fatal(err)
	}
	k.MustReplaceAdmin(t, a)
	wantProblem(t, keyed(t, k, "k", revocations, `{"kind":"jti","value":"j2"}`), 400, "idempotency_key")
}

// TestAFailureIsNotKept: 503 is no answer, and the next try is a first one.
func TestAFailureIsNotKept(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.Revocations.Confirm(1, 1)
	wantProblem(t, keyed(t, k, "k", revocations, `{"kind":"subject","value":"1"}`), 503, "unconfirmed")
	k.Revocations.Confirm(0, 0)
	first := keyed(t, k, "k", revocations, `{"kind":"subject","value":"1"}`).Must(t, 201)
	wantReplay(t, first, keyed(t, k, "k", revocations, `{"kind":"subject","value":"1"}`))
	k.Mini.SetError("LOADING")
	a := keyed(t, k, "k2", revocations, `{"kind":"subject","value":"1"}`)
	wantProblem(t, a, 503, "unavailable")
	if !strings.Contains(a.Body, "Nothing was done.") {
		t.Errorf("%s", a.Body)
	}
	k.Mini.SetError("")
	keyed(t, k, "k2", revocations, `{"kind":"subject","value":"1"}`).Must(t, 201)
}

// TestTheFirstRunsStill: the second of two at once does nothing and says so.
func TestTheFirstRunsStill(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 2})
	edge, says := mustEdge(t, k, "slow") // for which the first request waits
	const body = `{"kind":"jti","value":"j","wait":"30s"}`
	done := make(chan issuerkit.Answer)
	go func() { done <- keyed(t, k, "k", revocations, body) }()
	for found := false; !found; { // until it has done its part and waits
		found = len(items(t, k.Control(t, "GET", revocations+"?kind=jti", nil).Map(t))) == 1
	}
	wantProblem(t, keyed(t, k, "k", revocations, body), 409, "idempotency_key_running")
	wantProblem(t, keyed(t, k, "k", revocations, body+" "), 422, "idempotency_key_reused")
	report := lastApplied(t, k)
	says.Store(&report)
	if err := edge.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := <-done
	wantReplay(t, first.Must(t, 201), keyed(t, k, "k", revocations, body))
}
