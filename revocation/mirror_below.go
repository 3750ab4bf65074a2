package revocation

import (
	"slices"
	"strconv"
	"strings"
)

// A cut-off stands over earlier ones of the same subject or issuer. What a check needs is
// the greatest; but when that is undone the next one is in force, and if the store has lost
// it meanwhile somebody must be able to put it back. So records tell of those below, and a
// mirror remembers them for the few digests that have any.

// mostBelow is how many of them records tell of and mirrors remember: enough undos of one
// cut-off after the other.
const mostBelow = 16

// parseBelow reads the store times of cut-offs under the one in force, joined by commas.
func parseBelow(text string) (cuts []int64, ok bool) {
	for word := range strings.SplitSeq(text, ",") {
		cut, ok := digits([]byte(word))
		if !ok || cut == 0 {
			return nil, false
		}
		cuts = append(cuts, cut)
	}
	return cuts, true
}

// belowText is the reverse of parseBelow; of none it is empty.
func belowText(cuts []int64) string {
	var b []byte
	for i, cut := range cuts {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, cut, 10)
	}
	return string(b)
}

// below is what there is in force of e under its cut, as records tell it.
func (e *entry) below() string {
	var cuts []int64
	for _, s := range slices.Backward(e.statements) { // they are in order
		if s.undone == 0 && s.at < e.told.Cut {
			cuts = append(cuts, s.at)
		}
	}
	return belowText(cuts[:min(len(cuts), mostBelow)])
}

// keepBelow remembers the cut-offs under the one that is held of r's digest now that r was
// applied: those that r tells of, and of those that were held before (was is the greatest)
// what is later than every undo. The store may not know of them. The caller holds mu.
func (m *Mirror) keepBelow(r *Record, was int64) {
	cuts := m.below[r.Digest]
	if was == 0 && cuts == nil && r.Below == "" {
		return
	}
	top, _, _ := m.cuts(r.Kind).Lookup(r.Digest)
	told, _ := parseBelow(r.Below)
	out := append(slices.Clone(told), r.Cut)
	for _, cut := range append(slices.Clone(cuts), was) {
		if cut > r.Undone {
			out = append(out, cut)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	slices.Reverse(out)
	out = slices.DeleteFunc(out, func(cut int64) bool { return cut == 0 || cut >= top })
	if out = out[:min(len(out), mostBelow)]; len(out) == 0 {
		delete(m.below, r.Digest)
		return
	}
	m.below[r.Digest] = out
}

// forgetBelow drops what stood under cut-offs that are not held any more. The caller
// holds mu.
func (m *Mirror) forgetBelow() {
	for d := range m.below {
		_, _, subject := m.subjects.Lookup(d)
		_, _, issuer := m.issuers.Lookup(d)
		if !subject && !issuer {
			delete(m.below, d)
		}
	}
}
