package revocation_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tollgate/revocation"
)

// revokeMany revokes the ids prefix0, prefix1, … and waits until all have heard.
func (f fleet) revokeMany(prefix string, count int) {
	f.t.Helper()
	const writers = 8
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for i := w; i < count; i += writers {
				order := revocation.Order{Kind: revocation.KindJTI, Value: prefix + strconv.Itoa(i)}
				if _, err := f.all[i%len(f.all)].Revoke(f.t.Context(), order); err != nil {
					f.t.Errorf("revoke: %v", err)
					return
				}
			}
		})
	}
	work.Wait()
	f.awaitLevel()
}

// asked returns how often the server was asked for the rest of a life, which merging
// does for each entry, since it started or its figures were reset.
func (f fleet) asked() int {
	f.t.Helper()
	info := f.client.Info(f.t.Context(), "commandstats").Val()
	_, rest, _ := strings.Cut(info, "cmdstat_pttl:calls=")
	text, _, _ := strings.Cut(rest, ",")
	n, _ := strconv.Atoi(text) // none: 0
	return n
}

// wantRevoked checks by look-ups that the store has prefix0, prefix1, … again.
func (f fleet) wantRevoked(prefix string, count int) {
	f.t.Helper()
	for i := range count {
		tok := f.all[0].born(prefix + strconv.Itoa(i))
		if v := f.all[0].store.Check(f.t.Context(), tok); v.State != revocation.Revoked {
			f.t.Fatalf("%s%d: %+v", prefix, i, v)
		}
	}
}

// TestWhatSurvivesIsNotPutBack: of many revocations the last few are lost. Only these are
// put back, by whoever is first, or by few more.
func TestWhatSurvivesIsNotPutBack(t *testing.T) {
	t.Parallel()
	const many, few = 2000, 20
	f, s := serverFleet(t, "--appendfsync", "always") // what is acknowledged is in the file
	f.revokeMany("kept", many)
	old := f.aof()
	f.revokeMany("lost", few)
	before := f.epoch()["id"]
	s.MustKill()
	f.restore(old)
	s.MustRestart()
	f.awaitMended(before)
	if n := f.asked(); n < few || n > many/2 {
		t.Errorf("%d entries were looked at for %d that were lost of %d", n, few, many)
	}
	f.wantRevoked("lost", few)
	f.wantRevoked("kept", many)
	fresh := mirror(t, f.client)
	fresh.awaitLevel()
	for i := range few {
		fresh.wantState("a process that starts then", fresh.born(fmt.Sprint("lost", i)), revocation.Revoked)
	}
}

// TestOneFillsAnEmptyStore: everything is lost, and all processes hold the same. One
// puts it back; the others see that it is there.
func TestOneFillsAnEmptyStore(t *testing.T) {
	t.Parallel()
	const many = 2000
	f, _ := serverFleet(t)
	f.revokeMany("kept", many)
	before := f.epoch()["id"]
	if err := f.client.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := f.client.Do(t.Context(), "flushall").Err(); err != nil {
		t.Fatal(err)
	}
	f.awaitMended(before)
	if n := f.asked(); n < many || n > many+many/2 { // one who fills asks once for each
		t.Errorf("%d questions for %d entries by %d processes", n, many, len(f.all))
	}
	f.wantRevoked("kept", many)
}
