package problem_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/problem"
	"tollgate/keys/token"
)

const (
	realm   = `Bearer realm="api"`
	invalid = realm + `, error="invalid_token", error_description="The access token is missing, expired, revoked or otherwise not valid."`
)

// page is the body of a refused page for an access token.
func page(message, rest string) string {
	return `{"detail":"Given token not valid for any token type","code":"token_not_valid",` +
		`"messages":[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]` + rest + `}`
}

// TestRefusals holds every refusal to its exact bytes: front ends branch on them.
func TestRefusals(t *testing.T) {
	of := func(reason token.Reason, fault token.Fault) *problem.Refusal {
		return problem.OfToken(&token.Refusal{Reason: reason, Fault: fault, Err: errors.New("dial tcp 10.0.0.1:6379")}, nil, []string{"shop:read", "shop:write"})
	}
	const (
		forbidden   = `{"detail":"You do not have permission to perform this action.","reason":`
		unavailable = `{"detail":"It cannot be told at the moment whether the token is still valid. Try again.","reason":"unavailable"}`
	)
	for _, row := range []struct {
		name      string
		refusal   *problem.Refusal
		status    int
		challenge string
		body      string
	}{
		{"missing", problem.Missing(), 401, realm, `{"detail":"Authentication credentials were not provided."}`},
		{"missing, of a token", of(token.ReasonMissing, "no token"), 401, realm, `{"detail":"Authentication credentials were not provided."}`},
		{"bad header", problem.BadHeader(), 401, realm, `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`},
		{"twice", problem.Twice(), 400, "", `{"detail":"The credential was sent more than once."}`},
		{"malformed", of(token.ReasonMalformed, "x"), 401, invalid, page("Token is invalid", "")},
		{"algorithm", of(token.ReasonAlgorithm, "x"), 401, invalid, page("Token is invalid", "")},
		{"unknown key", of(token.ReasonUnknownKey, "x"), 401, invalid, page("Token is invalid", "")},
		{"signature", of(token.ReasonSignature, "x"), 401, invalid, page("Token is invalid", "")},
		{"not yet valid", of(token.ReasonNotYetValid, "x"), 401, invalid, page("Token is invalid", "")},
		{"issuer", of(token.ReasonIssuer, "x"), 401, invalid, page("Token is invalid", "")},
		{"audience", of(token.ReasonAudience, "x"), 401, invalid, page("Token is invalid", "")},
		{"expired", of(token.ReasonExpired, "x"), 401, invalid, page("Token is expired", "")},
		{"no exp", of(token.ReasonMalformed, token.FaultNoExpiry), 401, invalid, page("Token has no 'exp' claim", "")},
		{"no jti", of(token.ReasonMalformed, token.FaultNoID), 401, invalid, page("Token has no id", "")},
		{"no type", of(token.ReasonTokenType, token.FaultNoType), 401, invalid, page("Token has no type", "")},
		{"wrong type", of(token.ReasonTokenType, token.FaultWrongType), 401, invalid, page("Token has wrong type", "")},
		{"revoked", of(token.ReasonRevoked, "x"), 401, invalid, page("Token is blacklisted", `,"reason":"revoked"`)},
		{"lifetime", of(token.ReasonLifetime, "x"), 401, invalid, page("Token is invalid", `,"reason":"lifetime"`)},
		{"scope", of(token.ReasonScope, "x"), 403, realm + `, error="insufficient_scope", scope="shop:read shop:write"`, forbidden + `"scope"}`},
		{"claim", of(token.ReasonClaim, "x"), 403, realm + `, error="insufficient_scope"`, forbidden + `"claim"}`},
		{"origin", of(token.ReasonOrigin, "x"), 403, realm + `, error="insufficient_scope"`, forbidden + `"origin"}`},
		{"throttled", problem.Throttled(7), 429, "", `{"detail":"Request was throttled. Expected available in 7 seconds.","reason":"rate"}`},
		{"throttled for no time", problem.Throttled(0), 429, "", `{"detail":"Request was throttled. Expected available in 1 seconds.","reason":"rate"}`},
		{"foreign origin", problem.ForeignOrigin(), 403, "", `{"detail":"Cross-origin requests with a cookie are not accepted here.","reason":"origin"}`},
		{"unavailable", of(token.ReasonUnavailable, "x"), 503, "", unavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.refusal.Reason == "" || row.refusal.Fault == "" {
				t.Errorf("nothing for the log: %+v", row.refusal)
			}
			rec := httptest.NewRecorder()
			row.refusal.Write(rec)
			if diff := cmp.Diff(row.body, rec.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Content-Length": {strconv.Itoa(len(row.body))}}
			if row.challenge != "" {
				header.Set("WWW-Authenticate", row.challenge)
			}
			switch {
			case row.name == "throttled":
				header.Set("Retry-After", "7")
			case row.status == http.StatusServiceUnavailable, row.status == http.StatusTooManyRequests:
				header.Set("Retry-After", "1")
			}
			if diff := cmp.Diff(header, rec.Result().Header); rec.Code != row.status || diff != "" {
				t.Errorf("status %d, headers (-want +got):\n%s", rec.Code, diff)
			}
		})
	}
}

// TestRefusalOfEveryReason: no reason of keys/token is without an answer, and none
// of them is a success.
func TestRefusalOfEveryReason(t *testing.T) {
	for _, reason := range token.Reasons() {
		r := problem.OfToken(&token.Refusal{Reason: reason, Fault: "x"}, nil, nil)
		if r.Status < 400 || r.Reason != reason {
			t.Errorf("%s: %+v", reason, r)
		}
	}
}

// TestRefusalOfSeveralTypes: one message for each token class that is accepted.
func TestRefusalOfSeveralTypes(t *testing.T) {
	rec := httptest.NewRecorder()
	problem.OfToken(&token.Refusal{Reason: token.ReasonExpired}, []string{"access", "refresh", "sliding", "other"}, nil).Write(rec)
	for _, part := range []string{
		`{"token_class":"AccessToken","token_type":"access","message":"Token is expired"}`, `{"token_class":"RefreshToken","token_type":"refresh",`,
		`{"token_class":"SlidingToken","token_type":"sliding",`, `{"token_class":"Token","token_type":"other",`,
	} {
		if !strings.Contains(rec.Body.String(), part) {
			t.Errorf("no %s in %s", part, rec.Body)
		}
	}
}

func TestWriteDetail(t *testing.T) {
	for detail, body := range map[string]string{
		"Not found.":                `{"detail":"Not found."}`,
		`Method "GET" not allowed.`: `{"detail":"Method \"GET\" not allowed."}`,
		"":                          `{"detail":""}`,
	} {
		rec := httptest.NewRecorder()
		rec.Header().Set("Allow", "POST")
		problem.WriteDetail(rec, http.StatusMethodNotAllowed, detail)
		header := http.Header{
			"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Content-Length": {strconv.Itoa(len(body))}, "Allow": {"POST"},
		}
		if diff := cmp.Diff(header, rec.Result().Header); rec.Code != 405 || rec.Body.String() != body || diff != "" {
			t.Errorf("%d %s, headers (-want +got):\n%s", rec.Code, rec.Body, diff)
		}
	}
}

func TestDetailsAsAnError(t *testing.T) {
	var err error = &problem.Details{Status: 404, Detail: "There is none."}
	if d, ok := errors.AsType[*problem.Details](err); !ok || d.Error() != "There is none." {
		t.Errorf("%v", err)
	}
}
