package issuer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// moreClaims are what an endpoint adds to the claims that every token has, over those
// of the configuration; nil takes a claim out.
type moreClaims map[string]any

// into writes the claims into a payload.
func (m moreClaims) into(payload []byte) ([]byte, error) {
	claims := map[string]json.RawMessage{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	for name, v := range m {
		if v == nil {
			delete(claims, name)
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		claims[name] = text
	}
	return json.Marshal(claims)
}

// status is what a status list has to know of a token with these claims: who acts with
// it, from which log-in, and that it has no jti.
func (m moreClaims) status() (actor, actorSID string, nameless bool) {
	if act, ok := m[actorClaim].(map[string]string); ok {
		actor = act["sub"]
	}
	actorSID, _ = m[actorSIDClaim].(string)
	jti, changed := m["jti"]
	return actor, actorSID, changed && jti == nil
}

// fitsWith is ClaimSettings.fits for a token with more claims.
func (i *Issuer) fitsWith(u users.User, more moreClaims) error {
	sample := session.Pair{SID: revocation.NewSessionID(1)}
	payload, err := i.Claims.payload(u, sample, accessType, session.Stamp{JTI: "00000000-0000-0000-0000-000000000000"}, nil)
	if err == nil {
		payload, err = more.into(payload)
	}
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	if base64.RawURLEncoding.EncodedLen(len(payload))+longestSegments > i.room() {
		return fmt.Errorf("claims: those of user %q make a token longer than %d bytes (TOLLGATE_CLAIMS, TOLLGATE_MAX_TOKEN_BYTES)", u.ID, i.MaxTokenBytes)
	}
	return nil
}
