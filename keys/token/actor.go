package token

import "tollgate/revocation"

// readActor reads who acts in the subject's name: act.sub (RFC 8693 section 4.1),
// and act_sid, the log-in from which an actor of ours began. Of nested actors only
// the outermost one acts (same section). What another issuer writes there is taken
// where it can be read and names one of its own users; our own must be readable,
// since the token ends with its actor's log-in.
func readActor(id *Identity) *Refusal {
	v, found := id.claims.get("act")
	if !found || v.kind == kindNull && !id.Own {
		return nil
	}
	var act object
	if v.kind == kindObject {
		act, _ = parseObject(v.raw) // none where two of its names differ in case alone
	}
	sub, ok := stringIdentifier(act, "sub")
	if iss, named := act.get("iss"); named {
		name, _ := iss.text()
		ok = ok && name == id.Issuer
	}
	switch {
	case ok:
		id.Actor = sub
	case id.Own:
		return refuse(ReasonMalformed, "claim act does not name an actor of this issuer")
	}
	if !id.Own || !id.Has("act_sid") {
		return nil
	}
	if id.ActorSID, ok = stringIdentifier(id.claims, "act_sid"); ok {
		_, ok = revocation.Birth(id.ActorSID)
	}
	if !ok {
		return refuse(ReasonMalformed, "claim act_sid is not one of our session identifiers")
	}
	return nil
}

// standing is what the revocations are asked about the actor: the log-in that the
// token was made from must stand too, by its own birth. A token that does not name
// that log-in has its actor's sessions compared with its own birth.
func (id *Identity) standing() *revocation.Token {
	if id.Actor == "" {
		return nil
	}
	t := &revocation.Token{Issuer: id.Issuer, SID: id.ActorSID, Subject: id.Actor, Born: id.Born, IssuedAt: int64(id.issuedAt), Own: id.revocable.Own}
	if born, ok := revocation.Birth(id.ActorSID); ok {
		t.Born = born
	}
	return t
}

// Revocables is all that the revocations have to be asked about the token: itself,
// and where somebody acts in the subject's name the actor's log-in. Whatever ends one
// of them ends the token.
func (id *Identity) Revocables() []revocation.Token {
	out := []revocation.Token{id.revocable}
	if id.acting != nil {
		out = append(out, *id.acting)
	}
	return out
}
