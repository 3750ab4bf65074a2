//go:build bench

package bench

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

var (
	crowds  = flag.String("bench.revocations", "0,1000000", "numbers of revocations in force; 10000000 takes minutes and some gigabytes of Redis")
	tokenNs = flag.String("bench.tokens", "1,1000,100000", "numbers of distinct live tokens (ES256); 1000000 takes minutes")
	routeNs = flag.String("bench.routes", "1,1000", "numbers of routes")
	clients = flag.String("bench.clients", "10,1000,10000", "numbers of connections of clients that all ask at once; the limit on open files must allow for them")
	resting = flag.String("bench.resting", "1000,10000", "numbers of further connections of clients that have asked once and rest")
)

// TestBenchFlat measures a warm request, by ES256, as one thing after the other grows.
func TestBenchFlat(t *testing.T) {
	s := mustSite(t)
	m := s.minters["ES256"]
	s.warm["ES256"] = m.mustMint(t, s.dir, "warm", 1000)
	var all table
	measure := func(row, tokens string, conns int, settings ...string) {
		t.Helper()
		p := s.mustProxy("tollgate", "ES256", settings...)
		defer p.stop()
		s.mustWrk(p, tokens, conns, 1)
		for range *rounds {
			f := s.mustLoad(p, tokens, conns, max(*seconds, conns/200)) // what making the connections costs must not show
			all.add(row, f)
			t.Logf("%-22s %s", row, f)
		}
	}
	each := func(list string, do func(n int)) {
		for _, word := range strings.Split(list, ",") {
			var n int
			if _, err := fmt.Sscan(word, &n); err != nil {
				if word == "" {
					continue // switched off
				}
				t.Fatalf("%q is no number", word)
			}
			do(n)
		}
	}
	each(*routeNs, func(n int) {
		measure(fmt.Sprintf("%d routes", n), s.warm["ES256"], *conns, "TOLLGATE_ROUTES_FILE="+s.routesOf(n))
	})
	each(*clients, func(n int) { measure(fmt.Sprintf("%d clients", n), s.warm["ES256"], n) })
	each(*resting, func(n int) { s.besideResting(&all, n) })
	each(*tokenNs, func(n int) { s.distinct(&all, m, n) })
	filled := 0
	each(*crowds, func(n int) {
		s.mustRevoke(n - filled)
		filled = max(n, filled)
		measure(fmt.Sprintf("%d revocations", filled), s.warm["ES256"], *conns)
	})
	for _, row := range all.rows {
		median, least, most := all.median(row)
		t.Logf("%-22s %6.1f us/req (%.1f to %.1f)", row, median, least, most)
	}
	all.mustSave(s, "flat")
}

// besideResting measures while so many clients stay connected and ask nothing.
func (s *site) besideResting(all *table, count int) {
	s.t.Helper()
	p := s.mustProxy("tollgate", "ES256", "TOLLGATE_IDLE_TIMEOUT=10m")
	defer p.stop()
	ask := "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.first(s.warm["ES256"]) + "\r\n\r\n"
	for range count {
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			s.t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, ask); err != nil {
			s.t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			s.t.Fatalf("%v, %v", answer, err)
		}
	}
	s.mustWrk(p, s.warm["ES256"], *conns, 1)
	row := fmt.Sprintf("beside %d at rest", count)
	for range *rounds {
		f := s.mustLoad(p, s.warm["ES256"], *conns, *seconds)
		all.add(row, f)
		s.t.Logf("%-22s %s", row, f)
	}
}

// distinct measures with so many tokens, each of which was seen once before. More than
// fit into the memory of the edge fall to what a new one costs.
func (s *site) distinct(all *table, m *minter, count int) {
	s.t.Helper()
	tokens := m.mustMint(s.t, s.dir, fmt.Sprint("distinct", count), count)
	p := s.mustProxy("tollgate", "ES256")
	defer p.stop()
	for seen := 0; seen < count; { // wrk begins anew each time: one long run sees most
		f := s.mustLoad(p, tokens, *conns, max(1, count/5000))
		if seen += f.Requests; f.Requests*4 < count {
			s.t.Logf("%d distinct tokens: the load came by %d of them before it was measured", count, f.Requests)
			break
		}
	}
	row := fmt.Sprintf("%d tokens", count)
	for range *rounds {
		// A load long enough to come by all of them once.
		f := s.mustLoad(p, tokens, *conns, max(*seconds, count/10000))
		all.add(row, f)
		s.t.Logf("%-22s %s", row, f)
	}
}

// crowdLua writes ARGV[1] records into the feed as revoke.lua chains them, each of a jti
// of its own that ends at ARGV[2]. KEYS: epoch, feed.
const crowdLua = `
local n, last, clock = unpack(redis.call('HMGET', KEYS[1], 'n', 'last', 'clock'))
n, clock = tonumber(n), tonumber(clock)
for i = 1, tonumber(ARGV[1]) do
  n, clock = n + 1, clock + 1
  local nonce = string.format('%016x', n * 7919)
  redis.call('XADD', KEYS[2], string.format('%.0f-0', clock), 'r', string.format('%.0f %s %s %s jti %.0f %s %.0f',
    n, nonce, last == '' and '-' or last, redis.sha1hex(nonce):sub(1, 32), clock, ARGV[2], clock))
  last = nonce
end
redis.call('HSET', KEYS[1], 'n', string.format('%.0f', n), 'last', last, 'clock', string.format('%.0f', clock))
return n`

// mustRevoke adds so many revocations of tokens that nobody sends.
func (s *site) mustRevoke(count int) {
	s.t.Helper()
	client := testkit.MustClient(s.t, s.redis)
	store, err := revocation.NewRedis(client, "tg:", revocation.Settings{})
	if err == nil {
		err = store.Open(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	for left := count; left > 0; left -= 10_000 {
		if err := client.Eval(s.t.Context(), crowdLua, []string{"tg:{rev}:epoch", "tg:{rev}:feed"}, min(left, 10_000), time.Now().Unix()+6*3600).Err(); err != nil {
			s.t.Fatalf("fill the feed: %v", err)
		}
	}
}
