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

// toldFields is how many words a record has at least, or in the layout of earlier
// versions fields.
const toldFields = 8

// set takes one field of a record, and says how many of the words that every record
// has were in it: none in a field of a later version. The value is kept.
func (t *told) set(name, value []byte) (count int, err error) {
	ok := true
	var n int64
	count = 1
	switch string(name) {
	case "r":
		return toldFields, t.unpack(value)
	case "n":
		n, ok = digits(value)
		t.N = uint64(n)
	case "nonce":
		t.nonce = value
	case "prev":
		t.prev = value
	case "d":
		ok = t.Digest.decode(value)
	case "k":
		t.Kind = kindOf(value)
	case "cut":
		t.Cut, ok = digits(value)
	case "exp":
		t.ExpiresAt, ok = digits(value)
	case "at":
		t.At, ok = digits(value)
	default:
		count, ok = 0, t.also(name, value)
	}
	if !ok {
		return 0, errReply
	}
	return count, nil
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

// unpack takes a record of one field.
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
	if !okN || !okD || !okCut || !okExp || !okAt || t.Kind == "" {
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

// whole says whether t is a record: each of its fields once, and a stream id.
func (t *told) whole(fields int, id []byte) (err error) {
	if t.id, err = streamTime(id); err != nil || fields != toldFields || t.N == 0 || len(t.nonce) == 0 {
		return fmt.Errorf("feed record: %w", errReply)
	}
	return nil
}

// toldMessage reads a record that go-redis has read.
func toldMessage(m redis.XMessage) (told, error) {
	var t told
	fields := 0
	for name, v := range m.Values {
		text, _ := v.(string)
		n, err := t.set([]byte(name), []byte(text))
		if err != nil {
			return told{}, fmt.Errorf("feed record: %w", err)
		}
		fields += n
	}
	return t, t.whole(fields, []byte(m.ID))
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
