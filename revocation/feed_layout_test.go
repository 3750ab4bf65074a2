package revocation_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// otherwise writes a record of the feed anew, as no script writes it; whatever follows it
// is where it was.
func (k kit) otherwise(t *testing.T, s *revocation.Redis, n int, values ...any) {
	t.Helper()
	messages, err := k.client.XRange(t.Context(), s.FeedKey(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.client.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.Del(t.Context(), s.FeedKey())
		for i, m := range messages {
			var item any = m.Values
			if i+1 == n {
				item = values
			}
			p.XAdd(t.Context(), &redis.XAddArgs{Stream: s.FeedKey(), ID: m.ID, Values: item})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lines is a log whose first line can be waited for.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

// eachWord is a field for each word of a record, whose words are those of a revocation.
func eachWord(m redis.XMessage) (out []any) {
	for name, word := range words(m) {
		out = append(out, name, word)
	}
	return out
}

// TestFeedWrittenOtherwise: a record that this version does not write is not passed over
// by who reads the feed, nor trimmed, nor taken for one that an edge has applied.
func TestFeedWrittenOtherwise(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocation.Settings{AccessLife: 3 * time.Second, Leeway: time.Millisecond, Own: "i"})
		census, e := mustCensus(t, k.client), mustEdge(t, k.client, "host")
		for i := range 3 {
			mustRevoke(t, s, revocation.KindSubject, fmt.Sprint("u", i))
		}
		second := k.client.XRange(t.Context(), s.FeedKey(), "-", "+").Val()[1]
		report := revocation.EdgeReport{N: 2, Epoch: k.hash(t, s.EpochKey())["id"], Nonce: words(second)["nonce"]}
		_, _ = fmt.Sscanf(second.ID, "%d-0", &report.ID)
		e.says.Store(&report)
		e.mustRegister(t)
		wantCount(t, census, 2, report.Epoch, 1, 1)
		k.otherwise(t, s, 2, eachWord(second)...)
		e.mustRegister(t)
		wantCount(t, census, 2, report.Epoch, 1, 0)

		k.advance(3100 * time.Millisecond)
		for i := range 4 { // each trims
			mustRevoke(t, s, revocation.KindSession, fmt.Sprint("s", i))
		}
		if first := k.client.XRange(t.Context(), s.FeedKey(), "-", "+").Val()[0]; first.ID != second.ID {
			t.Errorf("the feed begins with %v, and not with %s", first, second.ID)
		}
		log := make(lines, 1)
		f := follow(t, k.client, func(c *revocation.FeedConfig) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
		select {
		case line := <-log:
			if !strings.Contains(line, second.ID) || !strings.Contains(line, "run the version that wrote it") {
				t.Errorf("log %s", line)
			}
		case <-time.After(20 * time.Second):
			t.Error("nobody was told")
		}
		f.stop()
		if f.level || len(f.all) > 0 {
			t.Errorf("level %v, told %d records", f.level, len(f.all))
		}
	})
}

// TestEpochAfterAnotherLayout: no epoch begins behind a record that this version does not
// write: its sequence would not go on. Nothing is written, and the error says so.
func TestEpochAfterAnotherLayout(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		mustRevoke(t, s, revocation.KindJTI, "j")
		k.otherwise(t, s, 1, "n", "1")
		k.client.Del(t.Context(), s.EpochKey())
		_, err := s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Issuer: "i", Value: "k"})
		if !errors.Is(err, revocation.ErrUnavailable) || !strings.Contains(err.Error(), "run the version that wrote it") {
			t.Errorf("err = %v", err)
		}
		if n := k.client.Exists(t.Context(), s.EpochKey()).Val(); n != 0 {
			t.Error("an epoch has begun")
		}
	})
}

// TestDamagedEpochIsNoVerdict: an epoch without one of its numbers vouches for nobody.
func TestDamagedEpochIsNoVerdict(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		at, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tok := &revocation.Token{Own: true, JTI: "a", Subject: "u", Born: at, IssuedAt: at / 1e6}
		if v := s.Check(t.Context(), tok); v.State != revocation.Clear {
			t.Fatalf("whole: %+v", v)
		}
		for _, field := range []string{"born", "complete_since", "n"} {
			had := k.hash(t, s.EpochKey())[field]
			if had == "" || k.client.HDel(t.Context(), s.EpochKey(), field).Err() != nil {
				t.Fatalf("%s = %q", field, had)
			}
			if v := s.Check(t.Context(), tok); v.State != revocation.Unknown {
				t.Errorf("without %s: %+v", field, v)
			}
			k.client.HSet(t.Context(), s.EpochKey(), field, had)
		}
		if v := s.Check(t.Context(), tok); v.State != revocation.Clear {
			t.Errorf("whole again: %+v", v)
		}
	})
}
