package table

// Each function here wants s.mu held.

// tell takes a hash into the filter of its group, before its entry is shown. One that
// is full is made anew, half as large again as is needed: bits are never cleared, so
// that is also how those of entries that have gone go.
func (s *set[V]) tell(dir *directory[V], h uint64) {
	g := groupOf(h)
	f := dir.filters.Load()[g]
	if dir.told[g] < f.room() {
		f.addShown(h)
	} else {
		live := dir.live(g)
		f = s.refilter(dir, g, max(live+live/2, s.marked))
		f.add(h)
		s.publishFilter(dir, g, f, live)
	}
	dir.told[g]++
}

// tidy makes the filter of a group anew, or takes it away, when more than half of what
// it was told has gone.
func (s *set[V]) tidy(g int) {
	dir := s.dir.Load()
	if dir == nil {
		return
	}
	switch live := dir.live(g); {
	case dir.told[g] == 0:
	case live == 0:
		s.publishFilter(dir, g, nil, 0)
	case dir.told[g] > filterLeast && live < dir.told[g]/2:
		s.publishFilter(dir, g, s.refilter(dir, g, live+live/2), live)
	}
}

// refilter makes a filter with room for so many entries of what a group holds now.
func (s *set[V]) refilter(dir *directory[V], g, entries int) filter {
	f := newFilter(entries)
	for i := range perGroup {
		if sh := dir.shards[g*perGroup+i].Load(); sh != nil {
			for sl := range sh.each {
				f.add(s.hash(&sl.digest))
			}
		}
	}
	return f
}

// publishFilter puts f, which was told of so many entries, in a group's filter's place.
func (s *set[V]) publishFilter(dir *directory[V], g int, f filter, told int) {
	other := *dir.filters.Load()
	s.bytes.Add(int64(len(f)-len(other[g])) * 8)
	other[g] = f
	dir.told[g] = told
	dir.filters.Store(&other)
}

// live is how many slots a group's shards have taken.
func (dir *directory[V]) live(g int) (n int) {
	for i := range perGroup {
		if sh := dir.shards[g*perGroup+i].Load(); sh != nil {
			n += sh.used
		}
	}
	return n
}
