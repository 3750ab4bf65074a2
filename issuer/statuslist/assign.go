package statuslist

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tollgate/issuer/store"
	"tollgate/revocation"
)

// Token is an access token that is about to be signed.
type Token struct {
	JTI, SID, Subject string
	// Actor is who acts with it in the subject's name, ActorSID the log-in from which;
	// empty: nobody, or not known.
	Actor, ActorSID     string
	IssuedAt, ExpiresAt time.Time
	// Again says that a token with this jti may have been signed before.
	Again bool
	// Nameless says that the token will not carry its jti: it is then revoked by what
	// is signed.
	Nameless bool
}

// acting is what an entry remembers of who acts with the token. A token that does not
// name his log-in is held against his cut-offs by its own birth, as edges do it.
func (l *Lists) acting(t Token, born int64) store.StatusActor {
	if t.Actor == "" {
		return store.StatusActor{}
	}
	a := store.StatusActor{Subject: l.digest(revocation.KindSubject, t.Actor), Born: born}
	if his, ok := revocation.Birth(t.ActorSID); ok {
		a.Born, a.Session = his, l.digest(revocation.KindSession, t.ActorSID)
	}
	return a
}

// Reference is the claim status.status_list of a token
// (draft-ietf-oauth-status-list section 6.2).
type Reference struct {
	Index int    `json:"idx"`
	URI   string `json:"uri"`
}

// Bind has the token signed with its reference by sign, which returns the compact
// token and the id of the key. No token is returned whose index does not remember
// what can revoke it. ErrUnavailable, and sign's errors.
func (l *Lists) Bind(ctx context.Context, t Token, sign func(Reference) (raw, kid string, err error)) (raw, kid string, err error) {
	born, ok := revocation.Birth(t.SID)
	if !ok || t.JTI == "" {
		return "", "", errors.New("statuslist: only a token with a jti and a session has a status")
	}
	o := store.StatusOrder{
		Entry: store.StatusEntry{Token: l.digest(revocation.KindJTI, t.JTI), Session: l.digest(revocation.KindSession, t.SID),
			Subject: l.digest(revocation.KindSubject, t.Subject), Born: born, Acting: l.acting(t, born)},
		// The order's life is counted from now by Redis, whose clock has set the times.
		Life: t.ExpiresAt.Sub(t.IssuedAt) + l.Leeway,
	}
	guess := *l.kid.Load()
	if guess != "" && !t.Again { // of a token that was there before, the key that signed it is known already
		o.Key = l.digest(revocation.KindKey, guess)
	}
	index, name, err := l.assign(ctx, o, t)
	if err != nil {
		return "", "", err
	}
	if raw, kid, err = sign(Reference{Index: index, URI: l.uri(name)}); err != nil {
		return "", "", err
	}
	o.List = name.String()
	if signed := l.digest(revocation.KindKey, kid); o.Key != signed {
		l.kid.Store(&kid)
		o.Key, o.NotKey = signed, o.Key
		if err := l.also(ctx, o, index); err != nil {
			return "", "", err
		}
	}
	if t.Nameless {
		o.Key, o.NotKey = l.digest(revocation.KindSigned, raw[:max(0, strings.LastIndexByte(raw, '.'))]), revocation.Digest{}
		if err := l.also(ctx, o, index); err != nil {
			return "", "", err
		}
	}
	return raw, kid, nil
}

// also adds to an entry what else can revoke its token.
func (l *Lists) also(ctx context.Context, o store.StatusOrder, index int) error {
	switch again, err := l.Index.Assign(ctx, o); {
	case err != nil:
		return unavailable(err)
	case again != index:
		return fmt.Errorf("%w: an index was lost", ErrUnavailable)
	}
	return nil
}

// assign gives the token an index in the first list of its window that takes it.
func (l *Lists) assign(ctx context.Context, o store.StatusOrder, t Token) (int, listName, error) {
	epoch := l.Ledger.epochID()
	if epoch == "" {
		return 0, listName{}, fmt.Errorf("%w: %w", ErrUnavailable, l.Ready())
	}
	seconds := int64(min(max(l.AccessTTL, leastWindow), mostWindow) / time.Second)
	name := listName{epoch: epochTag(epoch), seconds: seconds, window: t.IssuedAt.Unix() / seconds}
	if !t.Again { // else it may stand in one that has become full since
		name.number = l.firstNumber(name.window)
	}
	for ; name.number <= mostNumber; name.number++ {
		o.List = name.String()
		index, err := l.Index.Assign(ctx, o)
		switch {
		case err == nil:
			return index, name, nil
		case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrTorn):
			l.notBefore(name.window, name.number+1)
		default:
			return 0, listName{}, unavailable(err)
		}
	}
	return 0, listName{}, fmt.Errorf("%w: every list of the window is full", ErrUnavailable)
}

// firstNumber returns the first list of a window that is not known to be full.
func (l *Lists) firstNumber(window int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if window != l.window {
		return 0
	}
	return l.number
}

// notBefore remembers that the lists of a window below number are full.
func (l *Lists) notBefore(window int64, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case window > l.window:
		l.window, l.number = window, number
	case window == l.window:
		l.number = max(l.number, number)
	}
}

func (l *Lists) digest(kind revocation.Kind, id string) revocation.Digest {
	return revocation.DigestOf(l.Issuer, kind, id)
}

func (l *Lists) uri(n listName) string { return l.Base + ListPath + n.String() }

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
