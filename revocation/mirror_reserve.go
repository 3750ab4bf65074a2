package revocation

const (
	reserveFrom = 1000    // records in one page: fewer are no load worth the trouble
	reserveMost = 8 << 20 // entries that are believed of a store that may say anything
)

// reserve gives the tables room for what is left to be read, by the kinds of the first
// large page: otherwise a load of a million spends a third of its time on growing. Room
// that turns out not to be needed goes back as entries are swept. The caller holds mu.
func (m *Mirror) reserve(records []Record) {
	if m.reserved || m.loss.level || len(records) < reserveFrom {
		return
	}
	m.reserved = true
	first := records[0].N
	if m.loss.pending.N <= first {
		return
	}
	left := min(m.loss.pending.N-first, reserveMost)
	counts := map[Kind]uint64{}
	for i := range records {
		counts[records[i].Kind]++
	}
	for kind, count := range counts {
		n := int(left * count / uint64(len(records)))
		if t := m.named(kind); t != nil {
			t.Reserve(n)
		} else if c := m.cuts(kind); c != nil {
			c.Reserve(n)
		}
	}
}
