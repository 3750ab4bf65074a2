package issuer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/keys"
	"tollgate/keys/ring"
)

// mintable is an access token that belongs to no log-in of its own.
type mintable struct {
	carried   map[string]json.RawMessage // claims taken over; reserved ones are set over them
	subject   string
	clientID  string         // empty: no client asked for it
	alg       keys.Algorithm // of the signature; empty: everybody's
	scopes    []string
	audiences []string
	sid       string
	act       *actClaim     // RFC 8693 section 4.1; nil: none
	at        int64         // store time in µs: iat
	life      time.Duration // from at
	notAfter  time.Time     // exp is no later; zero: no bound
}

// expires is exp: whole seconds, never more than was promised.
func (m mintable) expires() int64 {
	exp := m.at/1e6 + int64(m.life/time.Second)
	if !m.notAfter.IsZero() {
		exp = min(exp, m.notAfter.Unix())
	}
	return exp
}

// claims builds the payload; reserved claims are set last.
func (m mintable) claims(issuer, jti string) map[string]any {
	out := map[string]any{}
	for name, raw := range m.carried {
		out[name] = raw
	}
	for name, v := range map[string]any{
		"iss": issuer, "sub": m.subject, "sid": m.sid, "jti": jti, "token_type": accessType, "iat": m.at / 1e6, "exp": m.expires(),
	} {
		out[name] = v
	}
	if m.clientID != "" {
		out["client_id"] = m.clientID
	}
	if len(m.scopes) > 0 {
		out["scope"] = strings.Join(m.scopes, " ")
	}
	if m.act != nil {
		out["act"] = m.act
	}
	switch len(m.audiences) {
	case 0:
	case 1:
		out["aud"] = m.audiences[0]
	default:
		out["aud"] = m.audiences
	}
	return out
}

// signAs signs with the key of an algorithm; empty: the one that signs everybody's.
// errAlgorithm when nothing is signed with it, ErrUnavailable when not now.
func (i *Issuer) signAs(ctx context.Context, alg keys.Algorithm, payload []byte) (raw, kid string, err error) {
	switch {
	case alg == "":
		raw, kid, err = i.Sign(ctx, payload, i.Claims.Typ)
	case i.SignWith == nil:
		return "", "", errAlgorithm
	default:
		raw, kid, err = i.SignWith(ctx, alg, payload, i.Claims.Typ)
	}
	switch {
	case errors.Is(err, ring.ErrNotConfigured):
		return "", "", errAlgorithm
	case err != nil:
		return "", "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return raw, kid, nil
}

// errAlgorithm: the list of algorithms has changed since the client was registered.
var errAlgorithm = errors.New("issuer: nothing is signed with the client's algorithm")

var errTooLong = errors.New("issuer: the token would be longer than any edge takes")

// signMintable signs it, and returns its jti and its key's id beside it.
func (i *Issuer) signMintable(ctx context.Context, m mintable) (raw, jti, kid string, err error) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	jti = hex.EncodeToString(b[:])
	signed := func(status *statuslist.Reference) (string, string, error) {
		claims := m.claims(i.Claims.Issuer, jti)
		if status != nil {
			claims["status"] = map[string]any{"status_list": status}
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			return "", "", fmt.Errorf("claims: %w", err)
		}
		if base64.RawURLEncoding.EncodedLen(len(payload))+longestSegments > i.MaxTokenBytes {
			return "", "", errTooLong
		}
		ctx, done := store.Rest(ctx)
		defer done()
		return i.signAs(ctx, m.alg, payload)
	}
	if i.Status == nil {
		raw, kid, err = signed(nil)
		return raw, jti, kid, err
	}
	t := statuslist.Token{JTI: jti, SID: m.sid, Subject: m.subject, IssuedAt: time.Unix(m.at/1e6, 0), ExpiresAt: time.Unix(m.expires(), 0)}
	if m.act != nil {
		t.Actor = m.act.Subject
	}
	raw, kid, err = i.Status.Bind(ctx, t, func(r statuslist.Reference) (string, string, error) { return signed(&r) })
	return raw, jti, kid, err
}
