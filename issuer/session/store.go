package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// Revoker is what sessions need of the revocations: to end tokens, and to ask
// whether a log-in or a refresh is already covered.
type Revoker interface {
	Revoke(ctx context.Context, o revocation.Order) (revocation.Revocation, error)
	Check(ctx context.Context, t *revocation.Token) revocation.Verdict
}

// Store keeps sessions in Redis: standalone, Sentinel or Cluster. It is safe for
// concurrent use.
type Store struct {
	client   redis.UniversalClient
	names    names
	issuer   string
	settings Settings
	rev      Revoker
	script   scripts

	// settle is how long an entered but unmarked session is left to whoever
	// entered it, before the sweep ends it.
	settle time.Duration

	mu       sync.Mutex
	suspects map[string]struct{} // guarded by mu; see suspect
}

// NewStore returns the sessions under prefix ("tg:") of our issuer. It does not
// connect. Settings must be valid.
func NewStore(client redis.UniversalClient, prefix, issuer string, s Settings, rev Revoker) *Store {
	return &Store{
		client: client, names: names{prefix}, issuer: issuer, settings: s.withDefaults(), rev: rev,
		script: loadScripts(), settle: 2 * time.Second, suspects: map[string]struct{}{},
	}
}

// token is what the revocations are asked about a session: whatever ends it.
func (s *Store) token(sid string, birth int64, subject string) *revocation.Token {
	return &revocation.Token{Issuer: s.issuer, SID: sid, Subject: subject, Born: birth, Own: true}
}

// check turns a verdict into an error: ErrEnded or ErrUnavailable. Only a clear
// answer lets a log-in or a refresh go on.
func check(v revocation.Verdict) error {
	switch v.State {
	case revocation.Clear:
		return nil
	case revocation.Revoked:
		return fmt.Errorf("%w: revoked by %s", ErrEnded, v.Kind)
	}
	if v.Err != nil {
		return fmt.Errorf("%w: revocations: %s: %w", ErrUnavailable, v.Cause, v.Err)
	}
	return fmt.Errorf("%w: revocations: %s", ErrUnavailable, v.Cause)
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}
