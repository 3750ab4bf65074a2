package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
)

// TestBodies: a body is one JSON object of known members, of their types and of a
// bounded size.
func TestBodies(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const revocations, users, rotate = "/admin/v1/revocations", "/admin/v1/users", "/admin/v1/keys/rotate"
	for _, row := range []struct {
		name, path, body string
		status           int
		code, detail     string
	}{
		{"empty", revocations, "", 400, "bad_request", "The body is empty; a JSON object is expected."},
		{"white space", revocations, " \n", 400, "bad_request", "The body is empty; a JSON object is expected."},
		{"not JSON", revocations, "kind=all", 400, "bad_request", "The body is not JSON."},
		{"cut off", revocations, `{"kind":"all"`, 400, "bad_request", "The body is not JSON."},
		{"byte order mark", revocations, "\ufeff{}", 400, "bad_request", "The body is not JSON."},
		{"an array", revocations, `[{"kind":"all"}]`, 400, "bad_request", "The body is not one JSON object as expected."},
		{"a string", revocations, `"all"`, 400, "bad_request", "The body is not one JSON object as expected."},
		{"null", revocations, `null`, 422, "invalid", "invalid revocation: unknown kind"},
		{"two documents", revocations, `{"kind":"all"}{"kind":"all"}`, 400, "bad_request", "The body is not one JSON object as expected."},
		{"rubbish behind", revocations, `{"kind":"all"}x`, 400, "bad_request", "The body is not JSON."},
		{"unknown member", revocations, `{"kind":"all","vaule":"x"}`, 400, "bad_request", `The body has an unknown member: "vaule"`},
		{"wrong type", revocations, `{"kind":1}`, 400, "bad_request", "The member kind has the wrong type: a string is expected."},
		{"a time that is none", revocations, `{"kind":"all","expires_at":"tomorrow"}`, 400, "bad_request", "A time is not as in RFC 3339: a string such as 2026-01-31T12:00:00Z is expected."},
		{"a time as a number", revocations, `{"kind":"all","expires_at":1800000000}`, 400, "bad_request", "A time is not as in RFC 3339: a string such as 2026-01-31T12:00:00Z is expected."},
		{"a time that has passed", revocations, `{"kind":"all","expires_at":"2020-01-01T00:00:00Z"}`, 400, "bad_request", "The member expires_at has passed."},
		{"a wait that is none", revocations, `{"kind":"all","wait":"soon"}`, 400, "bad_request", "The member wait is a duration such as 2s, and 30s at most."},
		{"a wait below nought", revocations, `{"kind":"all","wait":"-1s"}`, 400, "bad_request", "The member wait is a duration such as 2s, and 30s at most."},
		{"a user's flag", users, `{"username":"x","password":"y","is_active":"yes"}`, 400, "bad_request", "The member is_active has the wrong type: true or false is expected."},
		{"a user's attributes", users, `{"username":"x","password":"y","attributes":[]}`, 400, "bad_request", "The member attributes has the wrong type: an object is expected."},
		{"a user's id as a number", users, `{"username":"x","password":"y","id":7}`, 400, "bad_request", "The member id has the wrong type: a string is expected."},
		{"rotate with an unknown member", rotate, `{"force":true}`, 400, "bad_request", `The body has an unknown member: "force"`},
		{"rotate with a word", rotate, `now`, 400, "bad_request", "The body is not JSON."},
		{"1 MiB of a member", revocations, `{"kind":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large", "The body is too large."},
		{"1 MiB of a password", users, `{"username":"x","password":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large", "The body is too large."},
		{"1 MiB of nothing behind", revocations, `{"kind":"all"}` + strings.Repeat(" ", 1<<20), 413, "body_too_large", "The body is too large."},
		{"1 MiB of nothing before", rotate, strings.Repeat(" ", 1<<20), 413, "body_too_large", "The body is too large."},
		{"ten thousand deep", users, `{"attributes":` + strings.Repeat(`{"x":`, 11000), 400, "bad_request", "The body is not JSON."},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := k.Send(t, issuerkit.Request{Path: row.path, Admin: true, Header: issuerkit.Bearer(issuerkit.AdminToken), Type: "application/json", Body: row.body})
			wantProblem(t, a, row.status, row.code)
			if detail := a.Map(t)["detail"]; detail != row.detail {
				t.Errorf("detail %q, want %q", detail, row.detail)
			}
		})
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", revocations, nil), 200)); len(found) > 0 {
		t.Errorf("something was revoked: %v", found)
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", users, nil), 200)); len(found) != 2 {
		t.Errorf("somebody was added: %v", found)
	}
}

// TestBodyOfUnknownLength: where a body may be missing, one that turns out to be
// empty is missing too.
func TestBodyOfUnknownLength(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for body, status := range map[string]int{"": 409, `{}`: 409, `null`: 409, `{"now":true}`: 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.AdminURL+"/admin/v1/keys/rotate", struct{ *strings.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = -1
		req.Header = issuerkit.Bearer(issuerkit.AdminToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%q: %d", body, res.StatusCode)
		}
	}
}
