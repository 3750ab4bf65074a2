package revocation

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// lonely is a mirror without a Redis.
func lonely(t *testing.T) *Mirror {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	store, err := NewRedis(client, "tg:", Settings{Own: "o"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMirror(MirrorConfig{Store: store, Client: client, Prefix: "tg:"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOrderOfRecords: whatever the order in which an entry's records come, from the
// feed, from it again after a gap, or as an own write that the feed tells of later,
// what was said last holds.
func TestOrderOfRecords(t *testing.T) {
	const end = 4_000_000_000
	jti := func(cut, at, undone int64) Record {
		return Record{Digest: DigestOf("o", KindJTI, "j"), Kind: KindJTI, Cut: cut, At: at, Undone: undone, ExpiresAt: end}
	}
	sub := func(cut, at, undone int64) Record {
		return Record{Digest: DigestOf("o", KindSubject, "u"), Kind: KindSubject, Cut: cut, At: at, Undone: undone, ExpiresAt: end}
	}
	short := func(r Record) Record { r.ExpiresAt -= 100; return r }
	tok := &Token{JTI: "j", Subject: "u", Born: 15, Own: true}
	for name, tt := range map[string]struct {
		own, feed []Record
		want      Kind // that refuses; empty: none
	}{
		"revoked":                                 {feed: []Record{jti(20, 20, 0)}, want: KindJTI},
		"undone":                                  {feed: []Record{jti(20, 20, 0), jti(0, 30, 30)}},
		"undone, and the beginning again":         {feed: []Record{jti(20, 20, 0), jti(0, 30, 30), jti(20, 20, 0)}},
		"revoked again":                           {feed: []Record{jti(20, 20, 0), jti(0, 30, 30), jti(40, 40, 30)}, want: KindJTI},
		"revoked again, and the beginning again":  {feed: []Record{jti(40, 40, 30), jti(20, 20, 0), jti(0, 30, 30)}, want: KindJTI},
		"put back without a date":                 {feed: []Record{jti(0, 30, 30), jti(1, 1, 0)}},
		"put back with a date":                    {feed: []Record{jti(0, 30, 30), jti(40, 40, 30)}, want: KindJTI},
		"revoked wins at a tie":                   {feed: []Record{jti(30, 30, 30), jti(0, 30, 30)}, want: KindJTI},
		"own write, older undo told later":        {own: []Record{jti(40, 40, 30)}, feed: []Record{jti(0, 30, 30)}, want: KindJTI},
		"own write, all told later":               {own: []Record{jti(40, 40, 0)}, feed: []Record{jti(20, 20, 0), jti(0, 30, 30), jti(40, 40, 0)}, want: KindJTI},
		"own undo, the revocation told later":     {own: []Record{jti(0, 30, 30)}, feed: []Record{jti(20, 20, 0)}},
		"own undo, then another's revocation":     {own: []Record{jti(0, 30, 30)}, feed: []Record{jti(0, 30, 30), jti(40, 40, 30)}, want: KindJTI},
		"an undo of an earlier life of the entry": {feed: []Record{jti(40, 40, 0), short(jti(0, 30, 30))}, want: KindJTI},
		"cut-off":                                   {feed: []Record{sub(20, 20, 0)}, want: KindSubject},
		"cut-off before the birth":                  {feed: []Record{sub(10, 10, 0)}},
		"the older cut-off told again":              {feed: []Record{sub(20, 20, 0), sub(10, 10, 0)}, want: KindSubject},
		"the later undone, the older stands":        {feed: []Record{sub(10, 10, 0), sub(20, 20, 0), sub(10, 30, 30)}},
		"all undone":                                {feed: []Record{sub(20, 20, 0), sub(0, 30, 30)}},
		"an undone cut-off put back without a date": {feed: []Record{sub(20, 20, 0), sub(0, 30, 30), sub(20, 20, 0)}},
		"own cut-off, older undo told later":        {own: []Record{sub(40, 40, 0)}, feed: []Record{sub(0, 30, 30)}, want: KindSubject},
		"a kind of a later version is passed over":  {feed: []Record{{Kind: "later", Cut: 9}}},
		"over":       {feed: []Record{{Digest: DigestOf("o", KindJTI, "j"), Kind: KindJTI, Cut: 20, At: 20, ExpiresAt: 1}}},
		"never over": {feed: []Record{{Digest: DigestOf("o", KindJTI, "j"), Kind: KindJTI, Cut: 20, At: 20}}, want: KindJTI},
		"over in a time that no 32 bits hold: never": {feed: []Record{{Digest: DigestOf("o", KindJTI, "j"), Kind: KindJTI, Cut: 20, At: 20, ExpiresAt: 1 << 40}}, want: KindJTI},
	} {
		t.Run(name, func(t *testing.T) {
			m := lonely(t)
			for _, r := range tt.own {
				m.wrote(context.Background(), "", r, nil)
			}
			for _, r := range tt.feed {
				m.heard([]Record{r})
			}
			v := m.Check(t.Context(), tok)
			if p := m.CheckPrepared(m.Prepare(tok)); p.State != v.State || p.Kind != v.Kind || p.Cause != v.Cause {
				t.Errorf("prepared: %+v, else %+v", p, v)
			}
			if v.Kind != tt.want || (v.State == Revoked) != (tt.want != "") {
				t.Errorf("%+v, want %q", v, tt.want)
			}
		})
	}
}

// TestSweepIsLate: entries go when they are over by both clocks and a minute more;
// what never ends stays.
func TestSweepIsLate(t *testing.T) {
	m := lonely(t)
	start := time.Now()
	now := start
	m.cfg.Now = func() time.Time { return now }
	add := func(value string, end int64, undone int64) {
		r := Record{Digest: DigestOf("o", KindJTI, value), Kind: KindJTI, Cut: 1, At: undone, Undone: undone, ExpiresAt: end}
		if undone != 0 {
			r.Cut = 0
		}
		m.heard([]Record{r})
	}
	m.epoch(Epoch{ID: "e", Clock: start.UnixMicro()})
	m.level(true, start)
	add("a", start.Unix()+10, 0)
	add("b", start.Unix()+10, 7)
	add("key", 0, 0)
	m.heard([]Record{{Digest: Digest{1}, Kind: KindSubject, Cut: 5, ExpiresAt: start.Unix() + 10}})
	for _, step := range []struct {
		after          time.Duration
		entries, dated int
	}{{0, 3, 1}, {60 * time.Second, 3, 1}, {75 * time.Second, 1, 0}} {
		now = start.Add(step.after)
		for range sweepSteps { // a round
			m.sweepOnce(true)
		}
		if got := m.Status().Entries; got != step.entries || len(m.dated) != step.dated {
			t.Errorf("after %s: %d entries, %d dated, want %d, %d", step.after, got, len(m.dated), step.entries, step.dated)
		}
	}
	add("c", start.Unix()+100, 0)
	now = start.Round(0).Add(24 * time.Hour) // only the time of day: it will be put right
	m.level(true, now)
	m.epoch(Epoch{ID: "e", Clock: start.UnixMicro()})
	m.sweepOnce(true)
	if got := m.Status().Entries; got != 2 {
		t.Errorf("a clock that ran ahead took %d entries", 2-got)
	}
}
