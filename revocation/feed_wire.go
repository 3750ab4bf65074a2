package revocation

import "fmt"

// headFields are the fields of the epoch that a scan reads. The first headAlways are in
// every epoch.
var headFields = []string{"id", "last", "born", "complete_since", "n", "clock", "trimmed", "mended", "lost", "from", "need", "beat", "confirmed", "evicted", "shut", "shared"}

const headAlways = 7

// parseHead reads the epoch of a scan. One that is not there has no ID.
func parseHead(values []any) (feedHead, error) {
	if len(values) != len(headFields) {
		return feedHead{}, fmt.Errorf("epoch: %w", errReply)
	}
	var h feedHead
	for i, v := range values {
		text, ok := v.(string)
		if !ok && i < headAlways && h.ID != "" {
			return feedHead{}, fmt.Errorf("epoch without %s: %w", headFields[i], errReply)
		}
		if !ok {
			continue // nil: no epoch, or one without this field
		}
		n, err := number(text)
		switch headFields[i] {
		case "id":
			h.ID, err = text, nil
		case "last":
			h.last, err = text, nil
		case "from":
			h.From, err = text, nil
		case "born":
			h.Born = n
		case "complete_since":
			h.CompleteSince = n
		case "n":
			h.N = uint64(n)
		case "clock":
			h.Clock = n
		case "trimmed":
			h.trimmed = uint64(n)
		case "beat":
			h.beat = uint64(n)
		case "confirmed":
			h.confirmed = uint64(n)
		case "need":
			h.Need, err = text, nil
		case "evicted":
			h.Evicted, err = text, nil
		case "shut":
			h.Shut, err = true, nil
		case "shared":
			h.Shared, err = true, nil
		case "mended":
			h.mended = uint64(n)
		case "lost":
			h.Lost = n
		}
		if err != nil {
			return feedHead{}, fmt.Errorf("epoch: %w", err)
		}
	}
	return h, nil
}

// toldRaw appends to list the records of a reply to XRANGE, as it came. They point
// into it.
func toldRaw(list []told, reply []byte) ([]told, error) {
	w := respReader{rest: reply}
	count := w.array()
	for range count {
		if w.array() != 2 {
			break
		}
		var t told
		id, texts := w.bulk(), w.array()
		name, value := w.bulk(), w.bulk()
		if w.bad {
			break
		}
		if err := t.read(id, texts, name, value); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	if w.bad || len(w.rest) > 0 || len(list) != count {
		return nil, fmt.Errorf("feed: %w", errReply)
	}
	return list, nil
}

// respReader reads RESP arrays and bulk strings. After anything else it is bad, and
// reads nothing but emptiness.
type respReader struct {
	rest []byte
	bad  bool
}

// array reads the head of an array and returns how many elements follow.
func (w *respReader) array() int { return w.size('*') }

// bulk reads a bulk string.
func (w *respReader) bulk() []byte {
	n := w.size('$')
	if w.bad || n+2 > len(w.rest) || w.rest[n] != '\r' || w.rest[n+1] != '\n' {
		w.bad, w.rest = true, nil
		return nil
	}
	b := w.rest[:n:n]
	w.rest = w.rest[n+2:]
	return b
}

// size reads a line of that type with a number.
func (w *respReader) size(mark byte) int {
	n, digits := 0, 0
	for i, c := range w.rest {
		switch {
		case i == 0 && c == mark:
		case i > 0 && c >= '0' && c <= '9' && digits < 9:
			n, digits = 10*n+int(c-'0'), digits+1
		case c == '\r' && digits > 0 && len(w.rest) > i+1 && w.rest[i+1] == '\n':
			w.rest = w.rest[i+2:]
			return n
		default:
			w.bad, w.rest = true, nil
			return 0
		}
	}
	w.bad, w.rest = true, nil
	return 0
}
