package admin

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/gateway"
	"tollgate/issuer"
	"tollgate/keys/token"
)

type tokenOrder struct {
	Subject  string    `json:"subject"` // a user's id; or
	Client   string    `json:"client_id"`
	TTL      string    `json:"ttl"` // a duration such as 1m
	Audience *[]string `json:"audience"`
	Claims   *[]string `json:"claims"` // names
	Scope    *string   `json:"scope"`  // separated by blanks
}

type tokenItem struct {
	Token     string    `json:"token"`
	JTI       string    `json:"jti"`
	KeyID     string    `json:"kid"`
	Subject   string    `json:"subject"`
	ExpiresAt time.Time `json:"expires_at"`
}

// issueToken signs an access token for a user or client, without a log-in. It
// stands in the answer alone.
func (a *Admin) issueToken(c echo.Context) error {
	if a.Tokens == nil {
		return absent("keys to sign with")
	}
	var body tokenOrder
	if err := read(c, &body); err != nil {
		return err
	}
	o := issuer.Order{Subject: body.Subject, Client: body.Client}
	set(&o.Audience, body.Audience)
	set(&o.Claims, body.Claims)
	if body.Scope != nil {
		o.Scope = strings.Fields(*body.Scope)
	}
	if body.TTL != "" {
		var err error
		if o.TTL, err = time.ParseDuration(body.TTL); err != nil || o.TTL <= 0 {
			return badBody("The member ttl is a duration such as 1m.")
		}
	}
	issued, err := a.Tokens.Issue(c.Request().Context(), o)
	if err != nil {
		return err
	}
	a.Log.Info("a token was issued", "sub", issued.Subject, "jti", issued.JTI, "expires", issued.ExpiresAt, "actor", actorOf(c))
	return c.JSON(http.StatusCreated, tokenItem{issued.Token, issued.JTI, issued.KeyID, issued.Subject, issued.ExpiresAt})
}

type explainBody struct {
	Token  string `json:"token"`
	Method string `json:"method"` // of the request that it is to go with; default GET
	URL    string `json:"url"`    // empty: no route, the issuer's own rules alone
}

// What a step of an explanation came to.
const (
	stepPassed  = "passed"
	stepFailed  = "failed"
	stepNotDone = "not reached"
)

type explainStep struct {
	Step    string `json:"step"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

type explainToken struct {
	Issuer    string     `json:"iss"`
	Subject   string     `json:"sub"`
	JTI       string     `json:"jti,omitempty"`
	SID       string     `json:"sid,omitempty"`
	KeyID     string     `json:"kid"`
	Algorithm string     `json:"alg"`
	Type      string     `json:"token_type,omitempty"`
	Scope     string     `json:"scope,omitempty"`
	Audience  []string   `json:"aud,omitempty"`
	IssuedAt  *time.Time `json:"issued_at,omitempty"`
	ExpiresAt time.Time  `json:"expires_at"`
}

type explainAnswer struct {
	Accepted bool             `json:"accepted"`
	Reason   string           `json:"reason,omitempty"`
	Detail   string           `json:"detail,omitempty"`
	Steps    []explainStep    `json:"steps"`
	Token    *explainToken    `json:"token,omitempty"` // once its signature was good
	Route    *gateway.Finding `json:"route,omitempty"`
}

// explainToken says step by step what this process makes of a token, with the code
// that checks every request. The token is neither kept nor logged.
func (a *Admin) explainToken(c echo.Context) error {
	var body explainBody
	if err := read(c, &body); err != nil {
		return err
	}
	body.Token = strings.TrimSpace(body.Token)
	policy := token.Policy{TokenTypes: []string{"access", "refresh", "sliding"}, MaxStale: 5 * time.Second}
	var finding *gateway.Finding
	if body.URL != "" {
		route, found, err := a.routeOf(body)
		if err != nil {
			return err
		}
		finding = found
		if route != nil {
			policy = route.Policy
			policy.Uncertain = nil // nobody is let through by this
		}
	}
	e := a.Verifier.Explain(c.Request().Context(), body.Token, &policy, a.Revocations)
	if e.Refusal != nil && e.Refusal.Err != nil {
		a.Log.Warn("a token could not be explained to its end", "fault", e.Refusal.Fault, "error", e.Refusal.Err)
	}
	return c.JSON(http.StatusOK, explanationOf(e, finding))
}

// routeOf finds the route that a request would take; none of them is no fault of the
// question: the answer says so.
func (a *Admin) routeOf(q explainBody) (*gateway.Route, *gateway.Finding, error) {
	if a.Routes == nil {
		return nil, nil, noRoutes()
	}
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	table := a.Routes()
	finding, err := table.Check(q.Method, q.URL)
	if err != nil {
		return nil, nil, badBody("The member url is a URL or a path: " + err.Error())
	}
	if finding.Route != nil {
		for _, r := range table.Routes() {
			if r.Name == finding.Route.Name {
				return r, &finding, nil
			}
		}
	}
	return nil, &finding, nil
}

func explanationOf(e token.Explanation, finding *gateway.Finding) explainAnswer {
	out := explainAnswer{Accepted: e.Refusal == nil, Route: finding}
	if e.Refusal != nil {
		out.Reason, out.Detail = string(e.Refusal.Reason), string(e.Refusal.Fault)
	}
	for n, step := range token.Steps() {
		s := explainStep{Step: string(step), Outcome: stepNotDone}
		switch {
		case n < len(e.Passed):
			s.Outcome = stepPassed
		case step == e.Failed:
			s.Outcome, s.Reason, s.Detail = stepFailed, out.Reason, out.Detail
		}
		out.Steps = append(out.Steps, s)
	}
	if id := e.Token; id != nil {
		out.Token = &explainToken{
			Issuer: id.Issuer, Subject: id.Subject, JTI: id.JTI, SID: id.SID, KeyID: id.KeyID, Algorithm: string(id.Algorithm), Type: id.TokenType,
			Scope: strings.Join(id.Scopes(), " "), Audience: id.Audience(), IssuedAt: timeOrNil(id.IssuedAt), ExpiresAt: id.ExpiresAt.UTC(),
		}
	}
	// A request that no route takes goes nowhere, whatever its token is.
	if finding != nil && finding.Route == nil && out.Accepted {
		out.Accepted, out.Detail = false, "the token is good, but no route takes the request: "+finding.Why
	}
	return out
}
