package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate/internal/telemetry"
	"tollgate/revocation"
)

// metric is one family as the registry describes it.
type metric struct{ name, help, kind, labels string }

// catalogue is every metric of ours, from the registry itself.
func catalogue(t *testing.T) map[string]metric {
	t.Helper()
	m := telemetry.NewMetrics(telemetry.Build{})
	a := &app{health: newHealth(nil, nil, nil)}
	if err := m.Register(append(a.collectors(), newMirrorCollector(func() revocation.MirrorStatus { return revocation.MirrorStatus{} }))...); err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc)
	go func() { m.Registry().Describe(descs); close(descs) }()
	form := regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*?)"(?:, unit: "[^"]*")?, constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	out := map[string]metric{}
	for d := range descs {
		part := form.FindStringSubmatch(d.String())
		if part == nil {
			t.Fatalf("a description of another form: %s", d)
		}
		if !strings.HasPrefix(part[1], "tollgate_") {
			continue
		}
		labels := part[4]
		if part[1] == "tollgate_build_info" {
			labels = "version,revision,go_version"
		}
		out[part[1]] = metric{part[1], part[2], kindOf(part[1]), strings.ReplaceAll(labels, ",", ", ")}
	}
	return out
}

// kindOf tells a metric's type from its name; a scrape of a running system is compared
// with it.
func kindOf(name string) string {
	switch {
	case strings.HasSuffix(name, "_duration_seconds"), strings.HasSuffix(name, "propagation_seconds"):
		return "histogram"
	case slices.Contains([]string{"tollgate_redis_pool_hits", "tollgate_redis_pool_misses", "tollgate_redis_pool_timeouts"}, name):
		return "counter"
	case name == "tollgate_redis_pool_total":
		return "gauge"
	case strings.HasSuffix(name, "_total"):
		return "counter"
	}
	return "gauge"
}

// TestMetricsDocument: docs/metrics.md has the registry's names, labels and help
// (go test ./cmd/tollgate -run TestMetricsDocument -update writes them anew).
func TestMetricsDocument(t *testing.T) {
	const file, begin, end = "../../docs/metrics.md", "<!-- metrics: begin -->\n", "<!-- metrics: end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := catalogue(t)
	var table bytes.Buffer
	table.WriteString("| name | type | labels | meaning |\n|---|---|---|---|\n")
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m, labels := all[name], ""
		if m.labels != "" {
			labels = "`" + m.labels + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", m.name, m.kind, labels, m.help)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/metrics.md has no place for the table")
	}
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Error("docs/metrics.md is not what the registry holds: run this test with -update")
	}
}

// samples reads a scrape: the series of our metrics, and each family's type.
func samples(s *system) (series []string, kinds map[string]string) {
	kinds = map[string]string{}
	for line := range strings.Lines(s.mustSend("GET", s.Ops+"/metrics", nil).Body) {
		line = strings.TrimSpace(line)
		if name, kind, ok := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " "); ok && strings.HasPrefix(line, "# TYPE tollgate_") {
			kinds[name] = kind
		}
		if at := strings.LastIndexByte(line, ' '); strings.HasPrefix(line, "tollgate_") {
			series = append(series, line[:at])
		}
	}
	return series, kinds
}

// TestMetricsAfterAHostileRun: whatever clients send, the number of series stays what
// configuration and fixed sets make of it, and no value of a label is theirs.
func TestMetricsAfterAHostileRun(t *testing.T) {
	t.Parallel()
	// A command that Redis did not answer in time would be a series of its own.
	s := mustSystem(t, append([]string{"TOLLGATE_ACCESS_LOG=false"}, busyMachine...)...)
	s.mustAddUser("alice", "correct-horse-battery")
	round := func(from, to int) {
		access := s.mustLogin("alice", "correct-horse-battery").Access
		for i := from; i < to; i++ {
			mark := fmt.Sprintf("evilclient%d", i) // "evil" alone may be in the id of a key, which is random
			token := encoding.EncodeToString([]byte(`{"alg":"ES256","kid":"`+mark+`"}`)) + "." +
				encoding.EncodeToString([]byte(`{"iss":"`+testIssuer+`","sub":"`+mark+`","jti":"`+mark+`","exp":9999999999}`)) + ".AAAA"
			for _, r := range []struct {
				method, url string
				body        any
				header      []string
			}{
				{"GET", s.Public + "/" + mark + "?" + mark, nil, bearer(access)},
				{strings.ToUpper(mark), s.Public + "/", nil, bearer(access)},
				{"GET", s.Public + "/", nil, bearer(token)},
				{"GET", s.Public + "/", nil, append(bearer(token), "Traceparent", "00-"+mark, "X-"+mark, mark, "X-Request-Id", mark)},
				{"GET", s.Public + "/..%2f" + mark, nil, nil},
				{"POST", s.Public + "/api/token/", map[string]string{"username": mark, "password": mark}, nil},
				{"POST", s.Public + "/api/token/refresh/", map[string]string{"refresh": token}, nil},
				{"POST", s.Public + "/oauth/token", "grant_type=" + mark + "&client_id=" + mark, []string{"Content-Type", "application/x-www-form-urlencoded"}},
				{"GET", s.Public + "/.well-known/" + mark, nil, nil},
				{"GET", s.Admin + "/admin/v1/" + mark, nil, bearer(rootToken)},
				{"GET", s.Admin + "/admin/v1/sessions/" + mark, nil, bearer(rootToken)},
				{"GET", s.Admin + "/admin/v1/keys", nil, bearer(mark)},
			} {
				_, _ = s.send(r.method, r.url, r.body, r.header...) // refusing to be sent is an answer, too
			}
		}
	}
	round(0, 3)
	for range 25 { // over the rate of wrong admin tokens: 429 instead of 401 from here on
		_, _ = s.send("GET", s.Admin+"/admin/v1/keys", nil, bearer("wrong")...)
	}
	before, kinds := samples(s)
	round(3, 30)
	after, _ := samples(s)
	// A request in 64 is measured: the stages and upstreams it shows may come late.
	late := regexp.MustCompile(`^tollgate_(auth_duration|upstream_duration|redis_duration)_seconds`)
	count := func(all []string) int {
		return len(slices.DeleteFunc(slices.Clone(all), late.MatchString))
	}
	if count(after) > count(before) {
		for _, one := range after {
			if !slices.Contains(before, one) {
				t.Logf("new: %s", one)
			}
		}
		t.Errorf("%d series became %d", count(before), count(after))
	}
	if len(after) > 1500 {
		t.Errorf("%d series of one process with one route", len(after))
	}
	for _, part := range []string{`method="other"`, `reason="unknown_key"`, `result="failure"`, `result="invalid"`, `role="none"`, `role="admin"`} {
		if !slices.ContainsFunc(after, func(one string) bool { return strings.Contains(one, part) }) {
			t.Errorf("the run left no series with %s", part)
		}
	}
	for _, one := range after {
		if strings.Contains(strings.ToLower(one), "evilclient") || len(one) > 300 {
			t.Errorf("what a client chose is in %s", one)
		}
	}
	all := catalogue(t)
	for name, kind := range kinds {
		if all[name].kind != kind {
			t.Errorf("%s is a %s, documented as %q", name, kind, all[name].kind)
		}
	}
}
