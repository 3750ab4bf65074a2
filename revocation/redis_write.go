package revocation

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Revoke makes a statement in one script: entry, feed record and epoch.
// ErrUnavailable means that it may or may not stand, ErrUnconfirmed that it does but
// that too few replicas have it (see Confirm); asking again is safe.
func (r *Redis) Revoke(ctx context.Context, o Order) (Revocation, error) {
	p, err := r.settings.prepare(o)
	if err != nil {
		return Revocation{}, err
	}
	rev, err := r.write(ctx, r.scripts.revoke, p.digest,
		string(p.Kind), p.Issuer, p.Value, p.Subject, p.Reason, p.Actor,
		p.expiresMs, p.lifeMs, flag(p.Kind.CutOff()), maxStatements, flag(p.Wait))
	if err != nil {
		return Revocation{}, fmt.Errorf("revoke: %w", err)
	}
	return rev, nil
}

// Undo takes one statement back, in one script like Revoke.
func (r *Redis) Undo(ctx context.Context, id string) (Revocation, error) {
	d, at, ok := parseID(id)
	if !ok {
		return Revocation{}, ErrNotFound
	}
	rev, err := r.write(ctx, r.scripts.undo, d, at)
	if err != nil {
		return Revocation{}, fmt.Errorf("undo: %w", err)
	}
	return rev, nil
}

// write runs a script that changes the entry of d, and reads its reply.
func (r *Redis) write(ctx context.Context, s *redis.Script, d Digest, args ...any) (Revocation, error) {
	keys := []string{r.names.epoch, r.names.feed, r.names.entry(d)}
	if due := r.due.Load(); due != nil {
		for _, other := range *due {
			keys = append(keys, r.names.entry(other))
		}
	}
	head := []any{fresh(16), r.seen.Load(), fresh(8), r.settings.horizon().Microseconds(), r.settings.Leeway.Milliseconds()}
	reply, err := r.runOpen(ctx, s, keys, append(head, args...)...)
	if err != nil {
		return Revocation{}, err
	}
	list, ok := reply.([]any)
	if ok && len(list) == 0 {
		return Revocation{}, ErrNotFound
	}
	rev, due, err := parseWrite(d, list)
	if err != nil {
		return Revocation{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	r.see(rev.RevokedAt.UnixMicro())
	r.due.Store(&due)
	if err := r.tellWrite(ctx, d, rev.Epoch, list[1]); err != nil {
		return Revocation{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return rev, nil
}

// tellWrite tells this process's mirror of what a write has left of an entry: its
// own revocations hold here before the caller hears that they stand.
func (r *Redis) tellWrite(ctx context.Context, d Digest, epoch string, hash any) error {
	wrote := r.wrote.Load()
	if wrote == nil {
		return nil
	}
	e, err := parseEntry(d, hash)
	if err != nil || e == nil {
		return errReply
	}
	(*wrote)(ctx, epoch, e.told, e.detail())
	return nil
}

// parseWrite reads what revoke.lua and undo.lua return: the store time of the
// statement, its entry, the digests that trim wants named next time, and the epoch.
func parseWrite(d Digest, list []any) (Revocation, []Digest, error) {
	if len(list) != 4 {
		return Revocation{}, nil, errReply
	}
	text, _ := list[0].(string)
	at, err := number(text)
	if err != nil {
		return Revocation{}, nil, err
	}
	e, err := parseEntry(d, list[1])
	if err != nil {
		return Revocation{}, nil, err
	}
	if e == nil || e.find(at) < 0 {
		return Revocation{}, nil, errReply
	}
	wanted, err := texts(list[2])
	if err != nil {
		return Revocation{}, nil, err
	}
	var due []Digest
	for _, w := range wanted {
		if other, ok := parseDigest(w); ok {
			due = append(due, other)
		}
	}
	rev := e.revocation(e.statements[e.find(at)])
	if rev.Epoch, _ = list[3].(string); rev.Epoch == "" {
		return Revocation{}, nil, errReply
	}
	return rev, due, nil
}
