package session

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// errCut is what every command returns after the cut.
var errCut = &net.OpError{Op: "read", Err: errors.New("cut")}

// cut is a process that dies: it lets left commands through and fails the rest.
// With deaf, the first that fails was executed all the same and only its answer is
// lost.
type cut struct {
	left atomic.Int64
	deaf bool
}

func (c *cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return c.pass(func() error { return next(ctx, cmd) }, cmd)
	}
}

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return c.pass(func() error { return next(ctx, cmds) }, cmds...)
	}
}

func (c *cut) pass(do func() error, cmds ...redis.Cmder) error {
	left := c.left.Add(-1)
	if left >= 0 {
		return do()
	}
	if left == -1 && c.deaf {
		_ = do()
	}
	for _, cmd := range cmds {
		cmd.SetErr(errCut)
	}
	return errCut
}

// mustCut returns the sessions as another process sees them that dies after n of
// its commands, those to the revocations included.
func (b box) mustCut(t *testing.T, n int, deaf bool) box {
	t.Helper()
	client := testkit.MustClient(t, b.client.(*redis.Client).Options().Addr)
	other := mustBox(t, client, b.settings)
	h := &cut{deaf: deaf}
	h.left.Store(int64(n))
	client.AddHook(h)
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
	return revocation.Verdict{Cause: revocation.CauseUnreachable, Err: errCut}
}

// withRevoker returns the store on other revocations, such as dead ones.
func (b box) withRevoker(r Revoker) box {
	b.Store = NewStore(b.client, prefix, issuer, b.settings, r)
	b.settle = 0
	return b
}
