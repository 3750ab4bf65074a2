package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/internal/telemetry"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// fewestAllocs is what one run of f allocates in the best of a few series: in the
// others the mirror may have read its feed, or the collector emptied a pool.
func fewestAllocs(t *testing.T, runs int, f func()) float64 {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	least := testing.AllocsPerRun(runs, f)
	for range 4 {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}

// TestAllocationsOfARequest holds what a whole request through the edge allocates, from
// the listener's connection to the back end's and back. Whoever needs one more says why
// here and in docs/performance.md; whoever saves one lowers the number. Of the cold
// ones most is the standard library's, and moves with its releases; from key to key it
// differs by three.
func TestAllocationsOfARequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		alg    keys.Algorithm
		memory int64
		most   float64
	}{
		{"warm RS256", keys.RS256, 1 << 24, 17},
		{"warm ES256", keys.ES256, 1 << 24, 17},
		{"cold RS256", keys.RS256, 0, 50},
		{"cold ES256", keys.ES256, 0, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := mustLine(t, c.alg, c.memory)
			conn, request := l.dial(t), l.request(t, 42)
			conn.ask(t, request)
			if n := fewestAllocs(t, 300, func() { conn.ask(t, request) }); n > c.most {
				t.Errorf("a request allocates %v times, %v are accepted", n, c.most)
			}
		})
	}
}

// TestAllocationsOfTheStages holds what the gateway's own stages allocate for a token
// that was seen before: nothing.
func TestAllocationsOfTheStages(t *testing.T) {
	for _, s := range stagesOf(t) {
		t.Run(s.name, func(t *testing.T) {
			if n := fewestAllocs(t, 1000, s.run); n > 0 {
				t.Errorf("allocates %v times", n)
			}
		})
	}
}

// stage is a part of a request's way.
type stage struct {
	name string
	run  func()
}

// stagesOf returns the stages of a warm request between the server's and the wire's.
func stagesOf(tb testing.TB) []stage {
	tb.Helper()
	l := mustLine(tb, keys.ES256, 1<<24)
	r := httptest.NewRequest(http.MethodGet, "/api/hello", nil)
	r.Header["Authorization"] = []string{l.token(tb, 42)}
	r.Header["User-Agent"], r.Header["Accept"] = []string{"bench"}, []string{"*/*"}
	table := l.gateway.Table()
	route, _ := table.Match(r.Host, r.URL.Path, r.Method)
	x := &exchange{route: route, table: table, record: &telemetry.Record{}, gateway: l.gateway}
	if refusal := l.gateway.identify(r, x); refusal != nil {
		tb.Fatal(refusal)
	}
	mirror, revocable := l.gateway.revocations.(*revocation.Mirror), x.identity.Revocables()[0]
	prepared := mirror.Prepare(&revocable)
	out := make(http.Header, 16)
	must := func(ok bool) {
		if !ok {
			tb.Fatal("the stage has failed")
		}
	}
	return []stage{
		{"target", func() { _, err := readTarget(r); must(err == nil) }},
		{"route", func() { found, _ := table.Match(r.Host, r.URL.Path, r.Method); must(found == route) }},
		{"credential", func() { c, refusal := l.gateway.take(r, route.Carriers); must(refusal == nil && c.raw != "") }},
		{"token seen before", func() {
			id, err := l.gateway.verifier.Authenticate(r.Context(), x.credential.raw, &route.Policy, l.gateway.revocations)
			must(err == nil && id == x.identity)
		}},
		{"mirror", func() { must(mirror.CheckPrepared(prepared).State == revocation.Clear) }},
		{"identity headers", func() { must(identityValues(route.Identity, x.identity).fields[0].Value == "42") }},
		{"strip", func() { table.strip.strip(r.Header); must(len(r.Header) == 3) }},
		{"forwarded headers", func() { x.forwarded = l.gateway.trusted.forward(r, out); must(x.forwarded[3] != "") }},
		{"what the back end is told beside", func() { also := x.also(); must(len(also[0]) == 5 && len(also[1]) >= 3) }},
	}
}

// BenchmarkStages is what each of them costs.
func BenchmarkStages(b *testing.B) {
	for _, s := range stagesOf(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.run()
			}
		})
	}
}

var _ token.Preparer = (*revocation.Mirror)(nil) // else the stages are not the binary's
