package token_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// copied is a checker with a copy that can be brought up to date.
type copied struct {
	before, after revocation.Verdict
	err           error
	calls         int
}

func (c *copied) Check(context.Context, *revocation.Token) revocation.Verdict {
	if c.calls > 0 {
		return c.after
	}
	return c.before
}

func (c *copied) CatchUp(context.Context) error {
	c.calls++
	return c.err
}

// TestCatchesUpFirst: a copy that is too old is brought up to date before the policy
// decides. Allow covers silence alone: neither an answer that is an error, nor a loss,
// nor a copy that is not loaded. A hit always wins; none of it is a 401 but a hit.
func TestCatchesUpFirst(t *testing.T) {
	w := mustWorld(t)
	raw := w.good()
	upTo := func(stale time.Duration) revocation.Verdict {
		return revocation.Verdict{State: revocation.Clear, Stale: stale}
	}
	unknown := func(cause revocation.Cause) revocation.Verdict {
		return revocation.Verdict{Cause: cause, Stale: time.Minute}
	}
	hit := revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI, Stale: time.Hour}
	silent := fmt.Errorf("catch up: %w: i/o timeout", revocation.ErrUnavailable)
	const passes, denied, revoked = token.Reason(""), token.ReasonUnavailable, token.ReasonRevoked
	for name, tt := range map[string]struct {
		c           copied
		calls       int
		deny, allow token.Reason
	}{
		"fresh enough":              {copied{before: upTo(time.Second)}, 0, passes, passes},
		"a hit, however old":        {copied{before: hit}, 0, revoked, revoked},
		"caught up":                 {copied{before: upTo(time.Minute), after: upTo(0)}, 1, passes, passes},
		"caught up, and revoked":    {copied{before: upTo(time.Minute), after: hit}, 1, revoked, revoked},
		"no answer":                 {copied{before: upTo(time.Minute), after: upTo(time.Minute), err: silent}, 1, denied, passes},
		"no answer here, but Run's": {copied{before: upTo(time.Minute), after: upTo(time.Second), err: silent}, 1, passes, passes},
		"no answer, and revoked":    {copied{before: upTo(time.Minute), after: hit, err: silent}, 1, revoked, revoked},
		"caught up, and still old":  {copied{before: upTo(time.Minute), after: upTo(time.Minute)}, 1, denied, denied},
		"caught up, and a loss":     {copied{before: upTo(time.Minute), after: unknown(revocation.CauseLost)}, 1, denied, denied},
		"a loss":                    {copied{before: unknown(revocation.CauseLost)}, 0, denied, denied},
		"not loaded":                {copied{before: unknown(revocation.CauseLoading)}, 0, denied, denied},
	} {
		for choice, want := range map[token.Unavailable]token.Reason{token.Deny: tt.deny, token.Allow: tt.allow} {
			t.Run(fmt.Sprintf("%s/%d", name, choice), func(t *testing.T) {
				c := tt.c
				id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{OnUnavailable: choice, MaxStale: 5 * time.Second}, &c)
				if c.calls != tt.calls {
					t.Errorf("caught up %d times", c.calls)
				}
				if want == "" {
					if err != nil || id == nil {
						t.Errorf("refused: %v", err)
					}
					return
				}
				w.refused(t, raw, id, err, want)
			})
		}
	}
}

// TestZeroStale: under a policy that takes no age at all, what was read after the
// question is new enough, and what was read before it is not.
func TestZeroStale(t *testing.T) {
	w := mustWorld(t)
	old := revocation.Verdict{State: revocation.Clear, Stale: time.Nanosecond}
	if _, err := w.verifier.Authenticate(t.Context(), w.good(), &token.Policy{}, &copied{before: old, after: old}); err != nil {
		t.Errorf("read after the question: %v", err)
	}
	old.Stale = time.Minute
	id, err := w.verifier.Authenticate(t.Context(), w.good(), &token.Policy{}, &copied{before: old, after: old})
	w.refused(t, w.good(), id, err, token.ReasonUnavailable)
	if r, ok := errors.AsType[*token.Refusal](err); ok && r.Err != nil {
		t.Errorf("cause %v", r.Err)
	}
}
