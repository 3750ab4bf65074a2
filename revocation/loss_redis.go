package revocation

import (
	"context"
	"fmt"
	"time"
)

const (
	// mergeWindow is how long after a loss everybody has to notice it.
	mergeWindow = 3 * time.Second
	// mergeLease is for how long a process is waited for that has begun to put back.
	mergeLease = 5 * time.Second
	restored   = "restored after a loss"
)

// held is an entry as a mirror holds it.
type held struct {
	digest          Digest
	kind            Kind
	cut, at, undone int64 // as in a Record; at 0: not known
	exp             int64 // unix second; 0: never
	below           string
}

// plain says whether it is in force and there is no more to say of it than that, and
// until when.
func (h *held) plain() bool { return h.cut > 0 && h.at == 0 && h.undone == 0 && h.below == "" }

// lose begins an epoch that came from lost by a loss, unless somebody has. It returns
// the epoch that there is then. The id of one that it began ends with process.
func (r *Redis) lose(ctx context.Context, f finding, lost Epoch, process string) (Epoch, error) {
	reply, err := r.run(ctx, r.scripts.lose, []string{r.names.epoch, r.names.feed},
		fresh(8), r.seen.Load(), f.seen, lost.ID, lost.From, f.evicted,
		process, mergeLease.Microseconds(), r.accessLife(), flag(f.reason == gapShut))
	if err != nil {
		return Epoch{}, fmt.Errorf("begin epoch after a loss: %w", err)
	}
	e, _, err := r.epochState(reply)
	return e, err
}

// open lets the epoch of that id take revocations.
func (r *Redis) open(ctx context.Context, id string) (Epoch, error) {
	reply, err := r.run(ctx, r.scripts.open, []string{r.names.epoch}, id)
	if err != nil {
		return Epoch{}, fmt.Errorf("open epoch: %w", err)
	}
	e, _, err := r.epochState(reply)
	return e, err
}

// share says whether the process has yet to put back what perhaps nobody else has, and asks
// whether the mending is over. waited is how long ago the process noticed the loss.
func (r *Redis) share(ctx context.Context, id, process string, yet bool, waited time.Duration) (Epoch, error) {
	reply, err := r.run(ctx, r.scripts.share, []string{r.names.epoch},
		id, process, flag(yet), mergeLease.Microseconds(), mergeWindow.Microseconds(), max(waited, 0).Microseconds())
	if err != nil {
		return Epoch{}, fmt.Errorf("say what was put back: %w", err)
	}
	e, _, err := r.epochState(reply)
	return e, err
}

// merged is what became of a merge.
type merged struct {
	epoch   Epoch
	changed uint64 // entries
	busy    bool   // it is another process's turn to put back
}

// mergeHead is how many arguments of merge.lua stand before those of the entries.
const mergeHead = 10

// merge puts entries back into the epoch of that id. turn asks for the turn to put
// back many.
func (r *Redis) merge(ctx context.Context, id, process string, turn bool, entries []held) (merged, error) {
	keys := make([]string, 2, 2+len(entries))
	keys[0], keys[1] = r.names.epoch, r.names.feed
	args := make([]any, mergeHead, mergeHead+6*len(entries))
	copy(args, []any{
		id, r.seen.Load(), fresh(8), r.settings.Leeway.Milliseconds(), maxStatements,
		process, mergeLease.Microseconds(), restored, flag(turn),
	})
	for i := range entries {
		if e := &entries[i]; e.plain() {
			keys = append(keys, r.names.entry(e.digest))
			args = append(args, string(e.kind), e.cut, e.exp)
		}
	}
	args[mergeHead-1] = len(keys) - 2
	for i := range entries {
		if e := &entries[i]; !e.plain() {
			keys = append(keys, r.names.entry(e.digest))
			args = append(args, string(e.kind), e.cut, e.exp, e.at, e.undone, e.below)
		}
	}
	reply, err := r.run(ctx, r.scripts.merge, keys, args...)
	if err != nil {
		return merged{}, fmt.Errorf("put back: %w", err)
	}
	e, rest, err := r.epochState(reply)
	if err != nil || len(rest) != 2 {
		return merged{}, fmt.Errorf("put back: %w: %w", ErrUnavailable, errReply)
	}
	count, err := number(rest[0])
	if err != nil {
		return merged{}, fmt.Errorf("put back: %w: %w", ErrUnavailable, err)
	}
	return merged{e, uint64(count), rest[1] == flag(true)}, nil
}

// describe gives entries that were put back the words that a journal has of them. It
// returns how many were changed.
func (r *Redis) describe(ctx context.Context, known []Kept) (uint64, error) {
	keys, args := make([]string, len(known)), []any{restored}
	for i, k := range known {
		d := k.Detail
		if d == nil {
			d = &Detail{Reason: restored}
		}
		keys[i] = r.names.entry(k.Digest)
		args = append(args, string(k.Kind), flag(!k.Kind.CutOff()), k.Cut, d.Issuer, d.Value, d.Subject, d.Reason, d.Actor)
	}
	reply, err := r.run(ctx, r.scripts.describe, keys, args...)
	if err != nil {
		return 0, fmt.Errorf("describe: %w", err)
	}
	text, _ := reply.(string)
	count, err := number(text)
	if err != nil {
		return 0, fmt.Errorf("describe: %w: %w", ErrUnavailable, err)
	}
	return uint64(count), nil
}

// merged says that the process has put back all that it holds, and which epochs it
// knew to their ends. Without a process it only asks whether that was the last. waited
// is how long ago the process noticed the loss.
func (r *Redis) merged(ctx context.Context, id, process string, waited time.Duration, claims []claim) (Epoch, error) {
	args := []any{id, process, mergeWindow.Microseconds(), max(waited, 0).Microseconds(), r.accessLife()}
	for _, c := range claims {
		mark := "c:"
		if c.fresh {
			mark = "s:"
		}
		args = append(args, mark, c.id, c.born, c.since)
	}
	reply, err := r.run(ctx, r.scripts.merged, []string{r.names.epoch}, args...)
	if err != nil {
		return Epoch{}, fmt.Errorf("end of putting back: %w", err)
	}
	e, _, err := r.epochState(reply)
	return e, err
}

// epochState reads what mending scripts return of the epoch, and what comes after it.
func (r *Redis) epochState(reply any) (Epoch, []string, error) {
	const size = 9
	out, err := texts(reply)
	if err != nil || len(out) < size {
		return Epoch{}, nil, fmt.Errorf("%w: epoch: %w", ErrUnavailable, errReply)
	}
	var nums [size - 4]int64
	for i := range nums {
		if nums[i], err = number(out[i+3]); err != nil {
			return Epoch{}, nil, fmt.Errorf("%w: epoch: %w", ErrUnavailable, err)
		}
	}
	r.see(nums[3])
	return Epoch{
		ID: out[0], From: out[1], Need: out[2], Born: nums[0], CompleteSince: nums[1], N: uint64(nums[2]), Clock: nums[3], Lost: nums[4],
		Shut: out[8] != "",
	}, out[size:], nil
}
