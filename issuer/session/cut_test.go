package session

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// mustCut returns the sessions as another process sees them that dies after n of
// its commands, those to the revocations included.
func (b box) mustCut(t *testing.T, n int, deaf bool) box {
	t.Helper()
	client := testkit.MustClient(t, b.client.(*redis.Client).Options().Addr)
	other := mustBox(t, client, b.settings)
	client.AddHook(testkit.Cut{After: n, Deaf: deaf}.Hook())
	return other
}

// deadRevoker refuses to revoke, and knows nothing.
type deadRevoker struct{ clear bool }

func (d deadRevoker) Revoke(context.Context, revocation.Order) (revocation.Revocation, error) {
	return revocation.Revocation{}, revocation.ErrUnavailable
}

func (d deadRevoker) Check(context.Context, *revocation.Token) revocation.Verdict {
	if d.clear {
		return revocation.Verdict{State: revocation.Clear}
	}
	return revocation.Verdict{Cause: revocation.CauseUnreachable, Err: testkit.ErrCut}
}

// withRevoker returns the store on other revocations, such as dead ones.
func (b box) withRevoker(r Revoker) box {
	b.Store = NewStore(b.client, prefix, issuer, b.settings, r)
	b.settle = 0
	return b
}
