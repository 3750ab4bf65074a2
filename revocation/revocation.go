package revocation

import (
	"strconv"
	"strings"
	"time"
)

// Revocation is one statement as it is kept. An entry (one digest) may hold
// several: each cut-off of a subject is its own.
type Revocation struct {
	// ID names the statement: the entry's digest in hexadecimal, "-", and the
	// store time (µs) at which it was made.
	ID      string
	Kind    Kind
	Issuer  string
	Value   string // empty for KindAll, and for KindSigned, which is not kept
	Subject string
	Reason  string
	Actor   string
	// RevokedAt is store time; a cut-off refuses what was born up to here.
	RevokedAt time.Time
	// ExpiresAt is the end of the life that was ended, without leeway: the entry
	// stays for the leeway longer. Zero: never.
	ExpiresAt time.Time
	UndoneAt  time.Time // zero: in force
	// Seq is the sequence of the feed record that last told of the entry. Whoever
	// has applied it knows of this statement.
	Seq uint64
	// Epoch is the id of the epoch that Seq belongs to. Only Revoke and Undo tell it.
	Epoch string
}

// InForce reports whether the statement was not undone.
func (r Revocation) InForce() bool { return r.UndoneAt.IsZero() }

// Filter chooses what List returns. Empty fields choose everything.
type Filter struct {
	Kind    Kind
	Subject string
	Issuer  string
	Undone  bool   // also what was undone
	Limit   int    // items of a page; 0: DefaultLimit; more than MaxLimit: MaxLimit
	Cursor  string // Page.Next of the page before; empty: from the newest
}

// Sizes of a page of a list.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

func (f Filter) limit() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}

// matches reports whether r is what f asks for.
func (f Filter) matches(r Revocation) bool {
	return (f.Kind == "" || f.Kind == r.Kind) &&
		(f.Subject == "" || f.Subject == r.Subject) &&
		(f.Issuer == "" || f.Issuer == r.Issuer) &&
		(f.Undone || r.InForce())
}

// Page is one page of a list. A page may be short, even empty, and still have a
// Next: how much one call reads is bounded.
type Page struct {
	Items []Revocation
	Next  string // empty: that was the last page
}

// statementID returns the ID of the statement made at that store time.
func statementID(d Digest, at int64) string {
	return d.String() + "-" + strconv.FormatInt(at, 10)
}

// parseID takes an ID apart; ok is false for whatever no statement can have.
func parseID(id string) (d Digest, at int64, ok bool) {
	name, moment, _ := strings.Cut(id, "-")
	d, ok = parseDigest(name)
	if !ok {
		return Digest{}, 0, false
	}
	at, err := strconv.ParseInt(moment, 10, 64)
	if err != nil || at <= 0 || strconv.FormatInt(at, 10) != moment {
		return Digest{}, 0, false
	}
	return d, at, true
}
