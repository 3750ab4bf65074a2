package token

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate/revocation"
)

// Limits of what an identity may be made of. Longer ones are no identifiers but
// load, and control characters have no place in a header or a log.
const (
	maxIdentifier = 255
	// latestTime is the end of the year 9999. An exp beyond it (1e18 is a
	// favourite) means "for ever", which no token may claim.
	latestTime = 253402300799
)

// readClaims turns verified claims into an identity. It checks form alone; what
// depends on time and policy is judge's.
func readClaims(o object, issuer *Issuer) (*Identity, *Refusal) {
	id := &Identity{Issuer: issuer.Name, Own: issuer.Own, issuer: issuer, claims: o}
	if id.Has("iss") {
		id.named = issuer.Name
	}
	for _, read := range []func(*Identity) *Refusal{readTimes, readNames, readType, readAudience, readScope, readActor} {
		if refusal := read(id); refusal != nil {
			return nil, refusal
		}
	}
	if id.Has("cnf") {
		// RFC 7800, RFC 9449 section 7: taken as a bearer token it would lose
		// the protection that its owner relies on.
		return nil, refuse(ReasonMalformed, "the token is bound to a key (cnf), and the binding is not checked here")
	}
	return id, nil
}

func readTimes(id *Identity) *Refusal {
	if !id.Has("exp") {
		return refuse(ReasonMalformed, FaultNoExpiry)
	}
	for _, t := range []struct {
		claim string
		to    *float64
	}{{"exp", &id.expires}, {"nbf", &id.notBefore}, {"iat", &id.issuedAt}} {
		v, found := id.claims.get(t.claim)
		if !found {
			continue
		}
		n, ok := v.float()
		// An nbf of 0 holds always; Keycloak before 10 wrote it for "none".
		if !ok || n < 0 || n > latestTime || n == 0 && t.claim != "nbf" {
			return refuse(ReasonMalformed, "exp, nbf or iat is not a time between 1970 and 9999")
		}
		*t.to = n
	}
	id.ExpiresAt = unix(id.expires)
	if id.issuedAt != 0 {
		id.IssuedAt = unix(id.issuedAt)
	}
	return nil
}

func unix(f float64) time.Time { return time.Unix(int64(math.Floor(f)), 0).UTC() }

func readNames(id *Identity) *Refusal {
	var ok bool
	if id.Subject, ok = identifier(id.claims, id.issuer.subjectClaim()); !ok {
		return refuse(ReasonMalformed, FaultNoSubject)
	}
	if !id.Has("jti") {
		if !id.issuer.Legacy.NoJTI {
			return refuse(ReasonMalformed, FaultNoID)
		}
	} else if id.JTI, ok = stringIdentifier(id.claims, "jti"); !ok {
		return refuse(ReasonMalformed, "claim jti is not a string of 1 to 255 bytes without control characters")
	}
	if id.Has("sid") {
		if id.SID, ok = stringIdentifier(id.claims, "sid"); !ok {
			return refuse(ReasonMalformed, "claim sid is not a string of 1 to 255 bytes without control characters")
		}
	}
	if id.Own && id.SID != "" {
		if id.Born, ok = revocation.Birth(id.SID); !ok {
			return refuse(ReasonMalformed, "claim sid is not one of our session identifiers")
		}
	}
	return nil
}

// identifier reads the subject: a string, or an integer where another claim than
// sub was chosen, because Django writes user_id as a number.
func identifier(o object, claim string) (string, bool) {
	if v, found := o.get(claim); found && v.kind == kindNumber && claim != "sub" {
		text := string(v.raw)
		return text, len(text) <= maxIdentifier && strings.Trim(text, "0123456789") == ""
	}
	return stringIdentifier(o, claim)
}

func stringIdentifier(o object, claim string) (string, bool) {
	v, found := o.get(claim)
	if !found {
		return "", false
	}
	s, ok := v.text()
	return s, ok && s != "" && len(s) <= maxIdentifier && !hasControl(s)
}

// hasControl reports control characters, and U+FFFD, which a decoder writes for
// what it could not read: two names may have become one by it.
func hasControl(s string) bool {
	for _, r := range s {
		if r < 0x20 || 0x7f <= r && r < 0xa0 || r == utf8.RuneError {
			return true
		}
	}
	return false
}

func readType(id *Identity) *Refusal {
	v, found := id.claims.get("token_type")
	if !found {
		return nil
	}
	s, ok := v.text()
	if !ok || s == "" {
		return refuse(ReasonTokenType, FaultWrongType)
	}
	id.TokenType = s
	return nil
}

// readAudience reads aud: a string or an array of strings, RFC 7519 section
// 4.1.3. An empty array names nobody and is refused like a malformed one.
func readAudience(id *Identity) *Refusal {
	v, found := id.claims.get("aud")
	if !found {
		return nil
	}
	if s, ok := v.text(); ok {
		id.audience = []string{s}
		return nil
	}
	list, ok := v.strings()
	if !ok || len(list) == 0 {
		return refuse(ReasonAudience, "claim aud is neither a string nor a list of strings")
	}
	id.audience = list
	return nil
}

func readScope(id *Identity) *Refusal {
	v, found := id.claims.get("scope")
	if !found || v.kind == kindNull {
		return nil
	}
	if s, ok := v.text(); ok {
		// RFC 6749 section 3.3: a blank separates, and nothing else that Unicode
		// counts as space.
		id.scopes = strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
		return nil
	}
	list, ok := v.strings()
	if !ok {
		return refuse(ReasonMalformed, "claim scope is neither a string nor a list of strings")
	}
	id.scopes = list
	return nil
}
