package revocation_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// BenchmarkMirrorCheck checks tokens beside entries of other tokens: by one reader and
// by as many as there are processors, tokens that are refused for their jti and tokens
// that nothing speaks of, which takes five looks, three of them in tables that hold
// something. First is a prepared token that was not looked up before (and 10 to 20 ns of
// having that forgotten), prepared one that was, moving the same while 50 others are
// revoked in a second. The tokens are many, so that what they need is in no cache.
func BenchmarkMirrorCheck(b *testing.B) {
	sizes := []int{0, 1e4, 1e6, 1e7}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, size := range sizes {
		_, client := testkit.MustMini(b)
		store, err := revocation.NewRedis(client, "tg:", revocationtest.Settings())
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Open(b.Context()); err != nil {
			b.Fatal(err)
		}
		m, stop := benchMirror(b, store)
		mustCrowd(m, size)
		for _, bc := range []struct {
			name string
			want revocation.State
		}{{"hit", revocation.Revoked}, {"miss", revocation.Clear}} {
			if size == 0 && bc.want == revocation.Revoked {
				continue
			}
			tokens := benchTokens(b, m, bc.want)
			benchChecks(b, fmt.Sprintf("%s/whole/%d", bc.name, size), bc.want, func(i int) revocation.Verdict {
				return m.Check(context.Background(), &tokens[i%len(tokens)])
			})
			prepared := make([]*revocation.Prepared, len(tokens))
			for i := range tokens {
				prepared[i] = m.Prepare(&tokens[i])
			}
			benchChecks(b, fmt.Sprintf("%s/first/%d", bc.name, size), bc.want, func(i int) revocation.Verdict {
				return m.CheckAnew(prepared[i%len(prepared)])
			})
			again := func(i int) revocation.Verdict { return m.CheckPrepared(prepared[i%len(prepared)]) }
			benchChecks(b, fmt.Sprintf("%s/prepared/%d", bc.name, size), bc.want, again)
			if bc.want == revocation.Clear {
				still := revokeOthers(m)
				benchChecks(b, fmt.Sprintf("%s/moving/%d", bc.name, size), bc.want, again)
				still()
			}
		}
		stop()
	}
}

// benchChecks measures a check by one reader and by several.
func benchChecks(b *testing.B, name string, want revocation.State, check func(int) revocation.Verdict) {
	b.Helper()
	run := func(b *testing.B, work func()) {
		b.Helper()
		runtime.GC()
		b.ReportAllocs()
		before := cpuTime(b)
		work()
		b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
	b.Run(name+"/one", func(b *testing.B) {
		run(b, func() {
			for i := 0; b.Loop(); i++ {
				if v := check(i); v.State != want {
					b.Fatalf("%+v", v)
				}
			}
		})
	})
	b.Run(name+"/parallel", func(b *testing.B) {
		run(b, func() {
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if v := check(i); v.State != want {
						b.Errorf("%+v", v)
						return
					}
				}
			})
		})
	})
}

// mustCrowd fills a mirror with so many entries of four kinds.
func mustCrowd(m *revocation.Mirror, size int) {
	kinds := []revocation.Kind{revocation.KindJTI, revocation.KindJTI, revocation.KindSession, revocation.KindSubject}
	for i := range size {
		r := revocation.Record{Kind: kinds[i%4], Cut: 1, At: 1, ExpiresAt: time.Now().Unix() + 3600}
		binary.BigEndian.PutUint64(r.Digest[:], uint64(i)*0x9e3779b97f4a7c15)
		m.Hear(r)
	}
}

// revokeOthers revokes 50 in a second that no token is, until still is called.
func revokeOthers(m *revocation.Mirror) (still func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / 50)
		defer tick.Stop()
		for i := uint64(1); ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			r := revocation.Record{Kind: revocation.KindJTI, Cut: 1, At: 1, ExpiresAt: time.Now().Unix() + 3600}
			binary.BigEndian.PutUint64(r.Digest[:], i*0xbf58476d1ce4e5b9)
			m.Hear(r)
		}
	}()
	return func() { close(stop); <-done }
}

// benchTokens makes 65,536 tokens of which the mirror says that.
func benchTokens(b *testing.B, m *revocation.Mirror, state revocation.State) []revocation.Token {
	b.Helper()
	now, err := m.Now(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	own := revocationtest.Settings().Own
	tokens := make([]revocation.Token, 1<<16)
	for i := range tokens {
		jti := fmt.Sprintf("9f2c1d0e8b7a46d5a3c2e1f0%d%07d", state, i)
		tokens[i] = revocation.Token{
			Issuer: own, Own: true, JTI: jti, SID: revocation.NewSessionID(now), Subject: fmt.Sprint(i), KeyID: "0ZMpK3vN2j8", Born: now, IssuedAt: now / 1e6,
		}
		if state == revocation.Revoked {
			m.Hear(revocation.Record{Kind: revocation.KindJTI, Cut: 1, At: 1, ExpiresAt: now/1e6 + 3600, Digest: revocation.DigestOf(own, revocation.KindJTI, jti)})
		}
	}
	return tokens
}

func benchMirror(b *testing.B, store *revocation.Redis) (*revocation.Mirror, func()) {
	b.Helper()
	m, err := revocation.NewMirror(revocation.MirrorConfig{Store: store, Client: store.Client(), Prefix: "tg:"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx) }()
	testkit.MustAwaitWithin(b, time.Minute, "a mirror that is loaded", func() bool { return m.Ready() == nil })
	return m, func() { cancel(); <-done }
}

// BenchmarkMirrorLoad reads a million records of a real redis-server. On a machine that
// others use, too, its processor times say more than the time that went by.
func BenchmarkMirrorLoad(b *testing.B) {
	client := testkit.MustClient(b, testkit.MustStartRedis(b).Addr)
	store, err := revocation.NewRedis(client, "tg:", revocationtest.Settings())
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	mustFill(b, client, store, 1e6)
	var ours, redis time.Duration
	for b.Loop() {
		wasOurs, wasRedis := cpuTime(b), redisCPU(b, client)
		m, stop := benchMirror(b, store)
		if got := m.Status().Entries; got < 1e6 {
			b.Fatalf("%d entries", got)
		}
		ours += cpuTime(b) - wasOurs
		redis += redisCPU(b, client) - wasRedis
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(redis.Milliseconds())/float64(b.N), "redis-cpu-ms/op")
}

// cpuTime is what this process has used of the processors.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// redisCPU is what the server has.
func redisCPU(tb testing.TB, client redis.UniversalClient) time.Duration {
	tb.Helper()
	info, err := client.InfoMap(tb.Context(), "cpu").Result()
	if err != nil {
		tb.Fatal(err)
	}
	var sum float64
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		v, err := strconv.ParseFloat(info["CPU"][name], 64)
		if err != nil {
			tb.Fatal(err)
		}
		sum += v
	}
	return time.Duration(sum * float64(time.Second))
}
