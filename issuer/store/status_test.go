package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// onEachStatus runs a test on miniredis, on a redis-server and on a cluster of one.
func onEachStatus(t *testing.T, test func(t *testing.T, client redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		test(t, client)
	})
	t.Run("redis-server", func(t *testing.T) { test(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr)) })
	t.Run("cluster", func(t *testing.T) { test(t, mustStartCluster(t)) })
}

func mustStartCluster(t *testing.T) redis.UniversalClient {
	t.Helper()
	server := testkit.MustStartRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(testkit.MustFreePort(t)))
	client := testkit.MustClient(t, server.Addr).(*redis.Client)
	if err := client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatalf("give the node its slots: %v", err)
	}
	testkit.MustAwait(t, "the cluster", func() bool { return strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok") })
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = cluster.Close() })
	return cluster
}

func digest(text string) revocation.Digest {
	sum := sha256.Sum256([]byte(text))
	return revocation.Digest(sum[:16])
}

func order(jti string, key string) store.StatusOrder {
	o := store.StatusOrder{List: "l", Life: time.Minute, Entry: store.StatusEntry{
		Token: digest(jti), Session: digest("session of " + jti), Subject: digest("subject of " + jti), Born: 1_700_000_000_000_000,
	}}
	if key != "" {
		o.Key = digest(key)
	}
	return o
}

func mustAssign(t testing.TB, s *store.StatusLists, o store.StatusOrder) int {
	t.Helper()
	index, err := s.Assign(t.Context(), o)
	if err != nil {
		t.Fatalf("assign: %v", err)
	}
	return index
}

// mustRead reads a list from a position on.
func mustRead(t testing.TB, s *store.StatusLists, at store.StatusPosition, into map[int]store.StatusEntry) store.StatusPosition {
	t.Helper()
	at, err := s.Read(t.Context(), "l", at, func(i int, e store.StatusEntry) { into[i] = e })
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return at
}

// TestAssign: one token, one index, whoever asks and however often; and what it
// remembers comes back.
func TestAssign(t *testing.T) {
	onEachStatus(t, func(t *testing.T, client redis.UniversalClient) {
		s, other := store.NewStatusLists(client, "t:"), store.NewStatusLists(client, "t:")
		taken := map[int]string{}
		const count = 1500 // more than one script reads
		for i := range count {
			jti := fmt.Sprint(i)
			index := mustAssign(t, s, order(jti, "k1"))
			if first, _ := order(jti, "").Entry.Way(); taken[index] != "" || taken[int(first)] == "" && index != int(first) {
				t.Fatalf("token %s has index %d, its way begins at %d; taken by %q", jti, index, first, taken[index])
			}
			taken[index] = jti
			if again := mustAssign(t, other, order(jti, "k1")); again != index {
				t.Fatalf("token %s: %d, then %d", jti, index, again)
			}
		}
		read := map[int]store.StatusEntry{}
		at := mustRead(t, other, store.StatusPosition{}, read)
		if len(read) != count || at.Length() != count {
			t.Fatalf("%d entries, %d long", len(read), at.Length())
		}
		for index, jti := range taken {
			e, want := read[index], order(jti, "").Entry
			if e.Token != want.Token || e.Session != want.Session || e.Subject != want.Subject || e.Born != want.Born || !slices.Equal(e.Keys, []revocation.Digest{digest("k1")}) {
				t.Fatalf("index %d: %+v", index, e)
			}
		}
		// Only what is new, from there on.
		fresh := map[int]store.StatusEntry{}
		index := mustAssign(t, s, order("new", "k1"))
		if at = mustRead(t, other, at, fresh); len(fresh) != 1 || fresh[index].Token != digest("new") || at.Length() != count+1 {
			t.Errorf("%d entries, %+v", len(fresh), at)
		}
		if mustRead(t, other, at, fresh); len(fresh) != 1 {
			t.Error("the same again")
		}
	})
}

// TestKeysOfAnEntry: a key that signs is added once, one that did not goes.
func TestKeysOfAnEntry(t *testing.T) {
	onEachStatus(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewStatusLists(client, "t:")
		var at store.StatusPosition
		for i, step := range []struct {
			key, not string
			want     []string
			told     int
		}{
			{"", "", nil, 1}, {"k1", "", []string{"k1"}, 1}, {"k1", "", []string{"k1"}, 0}, {"k2", "", []string{"k1", "k2"}, 1},
			{"", "", []string{"k1", "k2"}, 0}, {"k3", "k2", []string{"k1", "k3"}, 1}, {"k1", "k9", []string{"k1", "k3"}, 0},
		} {
			o := order("a", step.key)
			if step.not != "" {
				o.NotKey = digest(step.not)
			}
			index := mustAssign(t, s, o)
			read := map[int]store.StatusEntry{}
			before := at.Length()
			if at = mustRead(t, s, at, read); at.Length()-before != step.told {
				t.Errorf("step %d: %d records", i, at.Length()-before)
			}
			all := map[int]store.StatusEntry{}
			mustRead(t, s, store.StatusPosition{}, all)
			var want []revocation.Digest
			for _, k := range step.want {
				want = append(want, digest(k))
			}
			if !slices.Equal(all[index].Keys, want) || len(all) != 1 {
				t.Errorf("step %d: %v, want %v", i, all[index].Keys, step.want)
			}
		}
	})
}

// TestLife: a list stays until its last token has expired, and then is gone.
func TestLife(t *testing.T) {
	m, client := testkit.MustMini(t)
	s := store.NewStatusLists(client, "t:")
	o := order("long", "k")
	o.Life = 90*time.Second + time.Millisecond
	mustAssign(t, s, o)
	mustAssign(t, s, order("short", "k"))
	for _, key := range s.Keys("l") {
		if ttl := m.TTL(key); ttl != 91*time.Second {
			t.Errorf("%s lives for %s", key, ttl)
		}
	}
	m.FastForward(91 * time.Second)
	if _, err := s.Read(t.Context(), "l", store.StatusPosition{}, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a list that has passed: %v", err)
	}
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("left behind: %v", keys)
	}
}

// TestFull: a full list takes no more tokens, but still knows those it has.
func TestFull(t *testing.T) {
	client := testkit.MustClient(t, testkit.MustStartRedis(t, "--appendonly", "no").Addr)
	s := store.NewStatusLists(client, "t:")
	index := mustAssign(t, s, order("here", "k"))
	free := func(i int) bool { return i != index }
	pipe, filled := client.Pipeline(), 1
	for i := 0; filled < store.MostTokens; i++ {
		if free(i) {
			pipe.HSet(t.Context(), s.Keys("l")[0], i, "somebody else's")
			filled++
		}
		if filled%2000 != 0 && filled < store.MostTokens {
			continue
		}
		// In parts: a client waits only so long for the answers to one pipeline.
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Assign(t.Context(), order("late", "k")); !errors.Is(err, store.ErrFull) {
		t.Errorf("the list is full: %v", err)
	}
	if again := mustAssign(t, s, order("here", "k")); again != index {
		t.Errorf("index %d, then %d", index, again)
	}
}

// TestTorn: entries that were there and are not are noticed, by whoever wrote them
// and whoever read them; and the list is then torn for everybody.
func TestTorn(t *testing.T) {
	lose := map[string]func(t *testing.T, client redis.UniversalClient, keys []string){
		"the last entry": func(t *testing.T, client redis.UniversalClient, keys []string) {
			client.HDel(t.Context(), keys[0], client.RPop(t.Context(), keys[1]).Val())
		},
		"all": func(t *testing.T, client redis.UniversalClient, keys []string) { client.Del(t.Context(), keys...) },
	}
	for name, lose := range lose {
		t.Run(name, func(t *testing.T) {
			_, client := testkit.MustMini(t)
			writer, reader, fresh := store.NewStatusLists(client, "t:"), store.NewStatusLists(client, "t:"), store.NewStatusLists(client, "t:")
			mustAssign(t, writer, order("a", "k"))
			mustAssign(t, writer, order("b", "k"))
			at := mustRead(t, reader, store.StatusPosition{}, map[int]store.StatusEntry{})
			lose(t, client, writer.Keys("l"))
			if _, err := reader.Read(t.Context(), "l", at, nil); !errors.Is(err, store.ErrTorn) {
				t.Errorf("the reader: %v", err)
			}
			if _, err := writer.Assign(t.Context(), order("c", "k")); !errors.Is(err, store.ErrTorn) {
				t.Errorf("the writer: %v", err)
			}
			if _, err := fresh.Assign(t.Context(), order("d", "k")); !errors.Is(err, store.ErrTorn) {
				t.Errorf("somebody else: %v", err)
			}
			if _, err := fresh.Read(t.Context(), "l", store.StatusPosition{}, nil); !errors.Is(err, store.ErrTorn) {
				t.Errorf("another reader: %v", err)
			}
			if ttl := client.TTL(t.Context(), writer.Keys("l")[0]).Val(); ttl <= 0 {
				t.Errorf("the torn list stays for %s", ttl)
			}
		})
	}
	t.Run("others have written since", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		writer, reader, fresh := store.NewStatusLists(client, "t:"), store.NewStatusLists(client, "t:"), store.NewStatusLists(client, "t:")
		mustAssign(t, writer, order("a", "k"))
		at := mustRead(t, reader, store.StatusPosition{}, map[int]store.StatusEntry{})
		client.Del(t.Context(), writer.Keys("l")...)
		mustAssign(t, fresh, order("b", "k"))
		mustAssign(t, fresh, order("c", "k"))
		if _, err := reader.Read(t.Context(), "l", at, nil); !errors.Is(err, store.ErrTorn) {
			t.Errorf("the order is another one: %v", err)
		}
	})
	t.Run("its time has come", func(t *testing.T) {
		m, client := testkit.MustMini(t)
		now := time.Now()
		s := store.NewStatusLists(client, "t:").WithClock(func() time.Time { return now })
		mustAssign(t, s, order("a", "k"))
		m.FastForward(time.Minute)
		now = now.Add(time.Minute)
		mustAssign(t, s, order("b", "k"))
	})
}

// TestUnavailable: no answer, and no entry of ours, is not "no such list".
func TestUnavailable(t *testing.T) {
	m, client := testkit.MustMini(t)
	s := store.NewStatusLists(client, "t:")
	index := mustAssign(t, s, order("a", "k"))
	client.HSet(t.Context(), s.Keys("l")[0], index, "short")
	if _, err := s.Read(t.Context(), "l", store.StatusPosition{}, func(int, store.StatusEntry) {}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("an entry that is none: %v", err)
	}
	m.SetError("no")
	if _, err := s.Assign(t.Context(), order("b", "k")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("assign: %v", err)
	}
	if _, err := s.Read(t.Context(), "l", store.StatusPosition{}, nil); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
}

// BenchmarkAssign is what a status list adds to a log-in or refresh.
func BenchmarkAssign(b *testing.B) {
	s := store.NewStatusLists(testkit.MustClient(b, testkit.MustStartRedis(b, "--appendonly", "no").Addr), "t:")
	i := 0
	for b.Loop() {
		o := order(fmt.Sprint(i), "k")
		o.List = fmt.Sprint(i / 50_000)
		mustAssign(b, s, o)
		i++
	}
}
