package ring

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate/keys"
)

// signer makes compact JWS with one key.
type signer struct {
	key Key
	by  Signer
}

// signers are those of one ring: one for each algorithm with an active key.
type signers struct {
	first  *signer
	others map[keys.Algorithm]*signer // first included
}

func newSigners(r Ring, s Settings, external Signer) (signers, error) {
	first := r.signing(s)
	if first.State != Active {
		return signers{}, errors.New("no active key to sign with")
	}
	out := signers{others: make(map[keys.Algorithm]*signer)}
	for _, k := range r.Keys {
		if k.State != Active {
			continue
		}
		by := Signer(InProcess{})
		if k.Reference != "" {
			by = external
		}
		out.others[k.Algorithm] = &signer{key: k, by: by}
	}
	out.first = out.others[first.Algorithm]
	return out, nil
}

// of returns the signer of an algorithm; "" is the first one's.
func (s signers) of(alg keys.Algorithm) (*signer, error) {
	if alg == "" {
		return s.first, nil
	}
	if one := s.others[alg]; one != nil {
		return one, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNotConfigured, alg)
}

// compact is RFC 7515 section 3.1: header, payload and signature in base64url.
func (s *signer) compact(ctx context.Context, payload []byte, typ string) (string, error) {
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		ID        string `json:"kid"`
		Type      string `json:"typ,omitempty"`
	}{string(s.key.Algorithm), s.key.ID, typ})
	if err != nil {
		return "", fmt.Errorf("write the header: %w", err)
	}
	b64 := base64.RawURLEncoding
	// ES512 and RSA-2048 signatures take up to 342 characters.
	buf := make([]byte, 0, b64.EncodedLen(len(header))+b64.EncodedLen(len(payload))+2+512)
	buf = b64.AppendEncode(buf, header)
	buf = b64.AppendEncode(append(buf, '.'), payload)
	sig, err := s.by.Sign(ctx, s.key, buf)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", s.key.Algorithm, err)
	}
	return string(b64.AppendEncode(append(buf, '.'), sig)), nil
}

// Sign returns payload as a compact JWS with the header {"alg", "kid", "typ"}
// (no "typ" when it is empty) under the active key of the first algorithm, and
// that key's id.
//
// It signs only with a ring that the store confirmed within ConfirmWithin. When
// the loop has not managed that, Sign asks the store itself, and fails with
// ErrUnconfirmed when there is no answer: the key may have been revoked since.
func (m *Manager) Sign(ctx context.Context, payload []byte, typ string) (token string, kid string, err error) {
	return m.SignWith(ctx, "", payload, typ)
}

// SignWith is Sign with the active key of an algorithm of the caller's choice; ""
// is the first one's. ErrNotConfigured when no key of that algorithm signs.
func (m *Manager) SignWith(ctx context.Context, alg keys.Algorithm, payload []byte, typ string) (token, kid string, err error) {
	// The confirmation is looked at again after signing: this process may have
	// been stopped in between, for longer than a revoked key may be used.
	for range 3 {
		snap, err := m.confirmed(ctx)
		if err != nil {
			return "", "", err
		}
		by, err := snap.signers.of(alg)
		if err != nil {
			return "", "", err
		}
		token, err := by.compact(ctx, payload, typ)
		if err != nil {
			return "", "", err
		}
		if m.fresh(snap) {
			return token, by.key.ID, nil
		}
	}
	return "", "", fmt.Errorf("%w: signing takes longer than %s", ErrUnconfirmed, m.cfg.ConfirmWithin)
}

// Confirmed reports whether the ring was confirmed against its store lately enough
// to sign with.
func (m *Manager) Confirmed() bool { return m.fresh(m.current.Load()) }

// Age is how long ago the ring was last confirmed against its store: so old may
// what Set returns be.
func (m *Manager) Age() time.Duration {
	return max(elapsed(m.current.Load().confirmed, m.cfg.Now()), 0)
}

// Refresh looks at the store now: somebody said that the ring has changed.
func (m *Manager) Refresh(ctx context.Context) error {
	_, err := m.step(ctx, m.advance)
	return err
}

func (m *Manager) fresh(s *snapshot) bool {
	age := elapsed(s.confirmed, m.cfg.Now())
	return age >= 0 && age <= m.cfg.ConfirmWithin
}

// confirmed returns a snapshot that may be signed with, asking the store when
// the last answer is too old. Those who wait at the same time share one look.
func (m *Manager) confirmed(ctx context.Context) (*snapshot, error) {
	if snap := m.current.Load(); m.fresh(snap) {
		return snap, nil
	}
	look := m.confirm.DoChan("", func() (any, error) {
		if m.fresh(m.current.Load()) {
			return nil, nil // another look ended between ours at the clock and here
		}
		// Whoever came first may leave before the others have their answer.
		_, err := m.step(context.WithoutCancel(ctx), m.advance)
		return nil, err
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnconfirmed, ctx.Err())
	case r := <-look:
		if snap := m.current.Load(); m.fresh(snap) {
			return snap, nil
		}
		if r.Err == nil {
			return nil, fmt.Errorf("%w: the store answers slower than %s", ErrUnconfirmed, m.cfg.ConfirmWithin)
		}
		return nil, fmt.Errorf("%w: %w", ErrUnconfirmed, r.Err)
	}
}
