package revocation

import "testing"

// TestLastID: what is read ahead begins at the last record of a page, whose id is
// guessed; of what is no page nothing is guessed.
func TestLastID(t *testing.T) {
	const (
		first  = "*2\r\n$4\r\n17-0\r\n*4\r\n$1\r\nn\r\n$1\r\n1\r\n$1\r\nk\r\n$3\r\njti\r\n"
		second = "*2\r\n$4\r\n18-0\r\n*2\r\n$1\r\nr\r\n$10\r\n1 a b 00-0\r\n"
		third  = "*2\r\n$4\r\n19-0\r\n*4\r\n$1\r\nn\r\n$1\r\n1\r\n$1\r\nk\r\n$3\r\njti\r\n"
	)
	for page, want := range map[string]int64{
		"*1\r\n" + first:                      17,
		"*2\r\n" + first + second:             18,
		"*2\r\n" + first + second + third:     19,
		"*2\r\n" + first + "*2\r\n$9\r\n18-0": 17, // torn: it is no page, and is not read ahead for long
		"*1\r\n*2\r\n$4\r\nodd0\r\n*2\r\n$":   0,
		"*1\r\n*2\r\n$5\r\nodd-0\r\n*2\r\n$":  0,
		"-0\r\n*":                             0,
		"*0\r\n":                              0,
		"":                                    0,
		"-ERR no\r\n":                         0,
	} {
		p := feedPage{buf: pageBuffer(page)}
		if got, ok := p.lastID(); got != want || ok != (want != 0) {
			t.Errorf("%q: %d, %t, want %d", page, got, ok, want)
		}
	}
}

// TestReserve: the first large page makes room for what the epoch says is to come, by
// kinds, once, and no more than can be believed.
func TestReserve(t *testing.T) {
	page := func(from uint64) []Record {
		records := make([]Record, reserveFrom)
		for i := range records {
			n := from + uint64(i)
			records[i] = Record{N: n, Kind: KindJTI, Cut: 1, At: 1, ExpiresAt: 4_000_000_000, Digest: DigestOf("o", KindJTI, nonce(8))}
			if i%4 == 0 {
				records[i].Kind = KindSubject
			}
		}
		return records
	}
	for name, tt := range map[string]struct {
		n       uint64
		records []Record
		most    int // bytes
		least   int
	}{
		"nothing is to come":      {reserveFrom, page(1), 600_000, 0},
		"half a million":          {500_000, page(1), 18_000_000, 2_000_000},
		"the end of a long one":   {1 << 40, page(1<<40 - reserveFrom + 1), 600_000, 0},
		"a number out of the air": {1 << 62, page(1), reserveMost * 40, 0},
		"a small page":            {500_000, page(1)[:reserveFrom-1], 600_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := lonely(t)
			m.epoch(Epoch{ID: "e", N: tt.n})
			m.heard(tt.records)
			if got := m.Status(); got.Entries != len(tt.records) || got.Bytes > tt.most || got.Bytes < tt.least {
				t.Errorf("%d entries in %d bytes, want %d to %d", got.Entries, got.Bytes, tt.least, tt.most)
			}
		})
	}
}
