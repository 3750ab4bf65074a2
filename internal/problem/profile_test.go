package problem_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/internal/problem"
	"tollgate/keys/token"
)

// TestDRFRefusals holds the refusals of a page to drf-jwt's bytes.
func TestDRFRefusals(t *testing.T) {
	for _, row := range []struct {
		reason token.Reason
		fault  token.Fault
		status int
		body   string
	}{
		{token.ReasonMissing, "x", 401, `{"detail":"Authentication credentials were not provided."}`},
		{token.ReasonMalformed, "x", 401, `{"detail":"Error decoding token."}`},
		{token.ReasonMalformed, token.FaultNoID, 401, `{"detail":"Invalid token."}`},
		{token.ReasonMalformed, token.FaultNoExpiry, 401, `{"detail":"Invalid token."}`},
		{token.ReasonMalformed, token.FaultNoSubject, 401, `{"detail":"Invalid payload."}`},
		{token.ReasonSignature, "x", 401, `{"detail":"Error decoding token."}`},
		{token.ReasonAlgorithm, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonUnknownKey, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonExpired, "x", 401, `{"detail":"Token has expired."}`},
		{token.ReasonNotYetValid, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonIssuer, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonAudience, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonTokenType, "x", 401, `{"detail":"Invalid token."}`},
		{token.ReasonLifetime, "x", 401, `{"detail":"Invalid token.","reason":"lifetime"}`},
		{token.ReasonRevoked, "x", 403, `{"detail":"Token is blacklisted."}`},
		{token.ReasonScope, "x", 403, `{"detail":"You do not have permission to perform this action.","reason":"scope"}`},
		{token.ReasonClaim, "x", 403, `{"detail":"You do not have permission to perform this action.","reason":"claim"}`},
		{token.ReasonUnavailable, "x", 503, `{"detail":"It cannot be told at the moment whether the token is still valid. Try again.","reason":"unavailable"}`},
	} {
		refused := &token.Refusal{Reason: row.reason, Fault: row.fault}
		rec := httptest.NewRecorder()
		r := problem.DRF.OfToken(refused, nil, nil)
		r.Write(rec)
		if rec.Code != row.status || rec.Body.String() != row.body || r.Reason != row.reason {
			t.Errorf("%s, %s: %d %s", row.reason, row.fault, rec.Code, rec.Body)
		}
		ours := problem.OfToken(refused, nil, nil)
		if r.Challenge != ours.Challenge || r.RetryAfter != ours.RetryAfter {
			t.Errorf("%s: challenge %q, Retry-After %d", row.reason, r.Challenge, r.RetryAfter)
		}
	}
}

// TestProfiles: the zero value and SimpleJWT are one.
func TestProfiles(t *testing.T) {
	for _, reason := range token.Reasons() {
		bodies := map[problem.Profile]string{}
		for _, p := range append(problem.Profiles(), "") {
			rec := httptest.NewRecorder()
			refusal := p.OfToken(&token.Refusal{Reason: reason, Fault: "x"}, nil, nil)
			if refusal.Write(rec); refusal.Status < 400 || refusal.Reason != reason {
				t.Errorf("%s of %s: %+v", p, reason, refusal)
			}
			bodies[p] = rec.Body.String()
		}
		if bodies[""] != bodies[problem.SimpleJWT] {
			t.Errorf("%s: %q", reason, bodies)
		}
	}
}

func TestDRFBearer(t *testing.T) {
	schemes := []string{"Bearer", "JWT"}
	for name, row := range map[string]struct {
		values []string
		token  string
		other  bool
		twice  bool
	}{
		"no header":             {nil, "", false, false},
		"blank":                 {[]string{" "}, "", false, false},
		"one token":             {[]string{"Bearer a"}, "a", false, false},
		"another case":          {[]string{"bEARER a"}, "a", false, false},
		"second scheme":         {[]string{"jwt a"}, "a", false, false},
		"scheme alone":          {[]string{"Bearer"}, "", false, false},
		"scheme and blank":      {[]string{"Bearer "}, "", false, false},
		"three words":           {[]string{"Bearer a b"}, "", false, false},
		"two blanks":            {[]string{"Bearer  a"}, "", false, false},
		"tab":                   {[]string{"Bearer\ta"}, "", false, false},
		"another scheme":        {[]string{"Basic a"}, "", true, false},
		"another, three words":  {[]string{"Digest a b"}, "", true, false},
		"a bare token":          {[]string{"a.b.c"}, "", true, false},
		"a scheme's beginning":  {[]string{"Bear a"}, "", true, false},
		"the header twice":      {[]string{"Bearer a", "Bearer a"}, "", false, true},
		"twice, one of another": {[]string{"Basic a", "Bearer a"}, "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if row.values != nil {
				h["Authorization"] = row.values
			}
			token, other, refusal := problem.DRF.Bearer(h, schemes)
			if token != row.token || other != row.other || (refusal != nil) != row.twice {
				t.Errorf("%q, %t, %+v", token, other, refusal)
			}
			want, refused := problem.Bearer(h, schemes)
			if token, other, refusal := problem.SimpleJWT.Bearer(h, schemes); token != want || other || (refusal == nil) != (refused == nil) {
				t.Errorf("simplejwt: %q, %t, %+v", token, other, refusal)
			}
		})
	}
}

// TestLenient: only what is not one token counts as none, and only for drf-jwt.
func TestLenient(t *testing.T) {
	for refusal, lenient := range map[*problem.Refusal]bool{problem.BadHeader(): true, problem.Twice(): false, problem.Missing(): false} {
		if problem.DRF.Lenient(refusal) != lenient || problem.SimpleJWT.Lenient(refusal) {
			t.Errorf("%s", refusal.Fault)
		}
	}
}
