package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/user"
	"strconv"
	"time"

	"tollgate/issuer/store"
	"tollgate/keys/ring"
)

// What the audit log calls that a command works on the key store itself, beside the
// actions of the admin API.
const (
	actionKeyImport = "key.import"
	actionKeyExport = "key.export"
	actionReseal    = "key.reseal"
)

// auditedHelp tells of it in the help of such a command.
const auditedHelp = `Where the keys are in Redis, a line of the audit log (tollgate audit) tells of it. It
is written first, and without it nothing is done. A directory (TOLLGATE_KEY_STORE is
file:DIR) has no audit log: keep track of who may read and write it.`

// byCommand is how such a line came to be (via), and the id of who acts: filters find all
// of them by it.
const byCommand = "command"

// settleWithin is what the line of an outcome has of its own: the action is done, also
// where somebody has interrupted the command.
const settleWithin = 2 * time.Second

// untrimmed keeps every line: how many are kept is the server's to say, and a shell
// without its variables must not cut the log to the defaults.
func untrimmed() store.AuditSettings {
	return store.AuditSettings{Lines: math.MaxInt32, Age: math.MaxInt64}
}

// audited does what changes the keys, or lets one out, between the two lines about it.
// Nothing is done without the first. A store that is a directory has no audit log.
func (k *keysAtHand) audited(ctx context.Context, warn io.Writer, action, kind, target string, do func() error) error {
	if k.audit == nil {
		return do()
	}
	who, host := whoseCommand()
	line := store.Line{Actor: who + "@" + host, ActorID: byCommand, Action: action, Kind: kind, Target: target, Remote: host, Via: byCommand}
	if err := k.audit.Begin(ctx, &line); err != nil {
		return exitWith(exitUnreachable, "the audit log could not be written, so nothing was done: %w", err)
	}
	err := do()
	line.Outcome, line.Detail = outcomeOf(err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	if unsettled := k.audit.Settle(ctx, line); unsettled != nil {
		fmt.Fprintf(warn, "the outcome is not in the audit log, where %s stays %s: %v\n", line.ID, store.OutcomeBegun, unsettled)
	}
	return err
}

// outcomeOf is what an error says of an action, in the words of the admin API.
func outcomeOf(err error) (outcome, detail string) {
	switch {
	case err == nil:
		return store.OutcomeDone, ""
	case errors.Is(err, ring.ErrExists), errors.Is(err, fs.ErrExist):
		return store.OutcomeRefused, "exists"
	case errors.Is(err, ring.ErrFull):
		return store.OutcomeRefused, "key_set_full"
	case codeOf(err) == exitNotFound:
		return store.OutcomeRefused, "not_found"
	case codeOf(err) == exitUnreachable, errors.Is(err, ring.ErrConflict):
		return store.OutcomeFailed, "unavailable"
	}
	return store.OutcomeRefused, "invalid"
}

// whoseCommand names the user and the machine, as the system does: nothing that could be
// set by a variable.
func whoseCommand() (who, host string) {
	id := strconv.Itoa(os.Getuid())
	who = "uid " + id
	if u, err := user.LookupId(id); err == nil { // an image from scratch knows no names
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return who, host
}
