package revocation

import (
	"bytes"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// told is a record with what chains it to the one before it. lua/record.lua says how
// it is written.
type told struct {
	Record
	id          int64 // stream id: store time (µs)
	nonce, prev []byte
}

// errRecord says that a stream item is no record as scripts write it. It is never passed
// over: it may be a revocation. The feed is not level before it is gone.
var errRecord = fmt.Errorf("%w: this version writes no such record; run the version that wrote it, or if it is damaged take it out of the feed, which is then mended as after a loss", errReply)

// read reads the record of a stream item: its id, how many texts its fields and values
// are, and the first two, which are all: r and the record. The value is kept.
func (t *told) read(id []byte, texts int, name, value []byte) (err error) {
	t.id, err = streamTime(id)
	if err == nil && (texts != 2 || string(name) != "r") {
		err = errReply
	}
	if err == nil {
		err = t.unpack(value)
	}
	if err != nil {
		return fmt.Errorf("feed record %q: %w", id, errRecord)
	}
	return nil
}

// also takes what is not in every record, and what is of a later version.
func (t *told) also(name, value []byte) (ok bool) {
	ok = true
	switch string(name) {
	case "u":
		t.Undone, ok = digits(value)
	case "b":
		t.Below = string(value)
		_, ok = parseBelow(t.Below)
	case "w":
		t.Wanted = string(value) == "1"
	}
	return ok
}

// unpack takes the words of a record.
func (t *told) unpack(value []byte) error {
	rest, more := value, true
	next := func() (word []byte) {
		word, rest, more = bytes.Cut(rest, []byte{' '})
		return word
	}
	n, okN := digits(next())
	t.N, t.nonce, t.prev = uint64(n), next(), next()
	okD := len(t.prev) > 0 && t.Digest.decode(next())
	t.Kind = kindOf(next())
	cut, okCut := digits(next())
	exp, okExp := digits(next())
	at, okAt := digits(next())
	if !okN || !okD || !okCut || !okExp || !okAt || t.N == 0 || len(t.nonce) == 0 || t.Kind == "" {
		return errReply
	}
	t.Cut, t.ExpiresAt, t.At = cut, exp, at
	if len(t.prev) == 1 && t.prev[0] == '-' {
		t.prev = nil
	}
	for more {
		name, value, found := bytes.Cut(next(), []byte{'='})
		if !found || !t.also(name, value) {
			return errReply
		}
	}
	return nil
}

// toldMessage reads a record that go-redis has read.
func toldMessage(m redis.XMessage) (t told, err error) {
	text, ok := m.Values["r"].(string)
	name := "r"
	if !ok {
		name = ""
	}
	err = t.read([]byte(m.ID), 2*len(m.Values), []byte(name), []byte(text))
	return t, err
}

// kindOf returns the kind without a copy of its text for those that are known. A
// record of another kind keeps its place in the chain: what to make of it is for
// whoever applies it.
func kindOf(text []byte) Kind {
	for _, k := range [...]Kind{KindJTI, KindSession, KindSubject, KindKey, KindAll, KindSigned, HintRing} {
		if string(text) == string(k) {
			return k
		}
	}
	return Kind(text)
}

// digits reads a whole number of at most 18 digits, as scripts write them.
func digits(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// streamTime reads a stream id of ours: store time and "-0".
func streamTime(id []byte) (int64, error) {
	text, found := bytes.CutSuffix(id, []byte("-0"))
	at, ok := digits(text)
	if !found || !ok {
		return 0, errReply
	}
	return at, nil
}
