package token_test

import (
	"context"
	"fmt"
	"testing"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// asked keeps every question, and answers by the subject.
type asked struct {
	tokens  []revocation.Token
	verdict map[string]revocation.Verdict // by subject; others are clear
}

func (a *asked) Check(_ context.Context, t *revocation.Token) revocation.Verdict {
	a.tokens = append(a.tokens, *t)
	if v, found := a.verdict[t.Subject]; found {
		return v
	}
	return revocation.Verdict{State: revocation.Clear}
}

var actorSession = revocation.NewSessionID(1_799_998_000_000_000)

// acted are the claims of a token with which canary-actor acts for canary-sub.
func acted() doc {
	return claims().with("act", `{"sub":"canary-actor"}`).with("act_sid", `"`+actorSession+`"`)
}

// TestActorStandsToo: whatever ends the actor's log-in ends the token.
func TestActorStandsToo(t *testing.T) {
	w := mustWorld(t)
	raw := w.es.mint(head(w.es).String(), acted().String())
	a := &asked{}
	id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, a)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != "canary-sub" || id.Actor != "canary-actor" || id.ActorSID != actorSession {
		t.Errorf("%q by %q of %q", id.Subject, id.Actor, id.ActorSID)
	}
	want := revocation.Token{
		Issuer: ownIssuer, SID: actorSession, Subject: "canary-actor", Born: 1_799_998_000_000_000, IssuedAt: kitTime.Unix() - 300, Own: true,
	}
	if len(a.tokens) != 2 || fmt.Sprint(a.tokens[1]) != fmt.Sprint(want) || fmt.Sprint(id.Revocables()) != fmt.Sprint(a.tokens) {
		t.Errorf("asked about %+v, want %+v second", a.tokens, want)
	}
	for subject, asks := range map[string]int{"canary-sub": 1, "canary-actor": 2} {
		for verdict, reason := range map[revocation.Verdict]token.Reason{
			{State: revocation.Revoked, Kind: revocation.KindSubject}: token.ReasonRevoked,
			{Cause: revocation.CauseUnreachable}:                      token.ReasonUnavailable,
		} {
			a := &asked{verdict: map[string]revocation.Verdict{subject: verdict}}
			id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, a)
			w.refused(t, raw, id, err, reason)
			if len(a.tokens) != asks {
				t.Errorf("%s %v: %d questions", subject, verdict.State, len(a.tokens))
			}
		}
	}
}

// TestActorWithoutLogin: an actor whose log-in is not named is compared by the birth
// of the token's own session.
func TestActorWithoutLogin(t *testing.T) {
	w := mustWorld(t)
	a := &asked{}
	if _, err := w.verifier.Authenticate(t.Context(), w.es.mint(head(w.es).String(), acted().without("act_sid").String()), &token.Policy{}, a); err != nil {
		t.Fatal(err)
	}
	if len(a.tokens) != 2 || a.tokens[1].SID != "" || a.tokens[1].Born != 1_799_999_000_000_000 {
		t.Errorf("asked about %+v", a.tokens)
	}
}

// TestUnreadableActor: of ours an actor that cannot be read would be one whose end
// does not end the token.
func TestUnreadableActor(t *testing.T) {
	w := mustWorld(t)
	for name, d := range map[string]doc{
		"null":                   claims().with("act", "null"),
		"text":                   claims().with("act", `"canary-actor"`),
		"list":                   claims().with("act", `["canary-actor"]`),
		"empty":                  claims().with("act", "{}"),
		"empty sub":              claims().with("act", `{"sub":""}`),
		"number":                 claims().with("act", `{"sub":1}`),
		"two spellings":          claims().with("act", `{"sub":"canary-actor","SUB":"canary-other"}`),
		"of another issuer":      claims().with("act", `{"sub":"canary-actor","iss":"`+otherIssuer+`"}`),
		"a session that is none": acted().with("act_sid", `"canary"`),
		"a session of no text":   acted().with("act_sid", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			raw := w.es.mint(head(w.es).String(), d.String())
			id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, &asked{})
			w.refused(t, raw, id, err, token.ReasonMalformed)
		})
	}
}

// TestForeignActor: what another issuer means by act is its own matter, but where it
// names one of its users, that user's cut-off holds.
func TestForeignActor(t *testing.T) {
	w := mustWorld(t)
	for act, questions := range map[string]int{
		`{"sub":"canary-actor"}`: 2, `{"sub":"canary-actor","iss":"` + otherIssuer + `","act":{"sub":"x"}}`: 2,
		`{"sub":"canary-actor","iss":"` + ownIssuer + `"}`: 1, `"canary-actor"`: 1, "null": 1, "{}": 1,
	} {
		a := &asked{}
		id, err := w.verifier.Authenticate(t.Context(), w.foreign.mint(head(w.foreign).String(), others().with("act", act).with("act_sid", "1").String()), &token.Policy{}, a)
		if err != nil || len(a.tokens) != questions || (id.Actor != "") != (questions == 2) || id.ActorSID != "" {
			t.Errorf("%s: %v, %d questions", act, err, len(a.tokens))
		}
	}
}

// preparing is asked as one that prepares tokens.
type preparing struct {
	*asked
	prepared map[*revocation.Prepared]revocation.Token
}

func (p preparing) Prepare(t *revocation.Token) *revocation.Prepared {
	made := &revocation.Prepared{}
	p.prepared[made] = *t
	return made
}

func (p preparing) CheckPrepared(made *revocation.Prepared) revocation.Verdict {
	t := p.prepared[made]
	return p.Check(context.Background(), &t)
}

// TestActorIsPrepared: of a remembered token both it and its actor are prepared once
// and asked about each time.
func TestActorIsPrepared(t *testing.T) {
	w := mustWorld(t)
	raw := w.es.mint(head(w.es).String(), acted().String())
	p := &preparing{&asked{}, map[*revocation.Prepared]revocation.Token{}}
	id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.verifier.Reaffirm(t.Context(), id, &token.Policy{}, p); err != nil {
		t.Fatal(err)
	}
	once := id.Revocables()
	if len(p.prepared) != 2 || fmt.Sprint(p.tokens) != fmt.Sprint(append(once, once...)) {
		t.Errorf("%d prepared, asked about %+v", len(p.prepared), p.tokens)
	}
	p.verdict = map[string]revocation.Verdict{"canary-actor": {State: revocation.Revoked, Kind: revocation.KindSession}}
	if err := w.verifier.Reaffirm(t.Context(), id, &token.Policy{}, p); err == nil {
		t.Error("the actor's log-in has ended, and the token goes on")
	}
}
