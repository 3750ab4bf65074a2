package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const deployDir = "../../deploy"

// mustPromtool finds Prometheus's own checker; without it the test is skipped, but in
// CI, which installs it.
func mustPromtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("promtool is not installed (Debian: prometheus)")
	} else if err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	return path
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Record      string            `yaml:"record"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func mustRules(t *testing.T) []rule {
	t.Helper()
	files, err := filepath.Glob(deployDir + "/prometheus/rules/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	var out []rule
	for _, file := range files {
		var doc struct {
			Groups []struct {
				Rules []rule `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal(mustRead(t, file), &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, g := range doc.Groups {
			out = append(out, g.Rules...)
		}
	}
	return out
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkNames reports names of ours in a query that no metric, and no recording rule,
// has, and labels that the metric does not have.
func checkNames(t *testing.T, where, query string, all map[string]metric, recorded []string) {
	t.Helper()
	for _, name := range regexp.MustCompile(`\btollgate[_:][a-z0-9_:]+`).FindAllString(query, -1) {
		if slices.Contains(recorded, name) {
			continue
		}
		family := name
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, part); ok && all[base].kind == "histogram" {
				family = base
			}
		}
		if all[family].name == "" {
			t.Errorf("%s asks for %s, which there is not", where, name)
		}
	}
	for _, m := range regexp.MustCompile(`\b(tollgate_[a-z0-9_]+)\{([^}]*)\}`).FindAllStringSubmatch(query, -1) {
		family := all[strings.TrimSuffix(m[1], "_bucket")]
		if family.name == "" {
			family = all[m[1]]
		}
		for _, l := range regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"`).FindAllStringSubmatch(m[2], -1) {
			own := strings.Split(family.labels, ", ")
			if !slices.Contains(own, l[1]) && !slices.Contains([]string{"instance", "job", "le"}, l[1]) {
				t.Errorf("%s asks for a label %s that %s has not", where, l[1], m[1])
			}
		}
	}
}

func TestAlertsAreWhole(t *testing.T) {
	all, rules := catalogue(t), mustRules(t)
	var recorded, names, books []string
	for _, r := range rules {
		recorded = append(recorded, r.Record)
	}
	tests := string(mustRead(t, deployDir+"/prometheus/tests/alerts_test.yml"))
	for _, r := range rules {
		checkNames(t, r.Alert+r.Record, r.Expr, all, recorded)
		if r.Alert == "" {
			continue
		}
		names = append(names, r.Alert)
		for _, kind := range []string{" fires", " is quiet"} {
			if !strings.Contains(tests, "name: "+r.Alert+kind+"\n") {
				t.Errorf("no test that %s%s", r.Alert, kind)
			}
		}
		if r.Labels["severity"] != "critical" && r.Labels["severity"] != "warning" || r.For == "" ||
			r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: %+v", r.Alert, r)
		}
		book, ok := strings.CutPrefix(r.Annotations["runbook_url"], "deploy/runbooks/")
		if !ok {
			t.Errorf("%s has no runbook", r.Alert)
			continue
		}
		books = append(books, book)
		text := string(mustRead(t, deployDir+"/runbooks/"+book))
		for _, part := range []string{"`" + r.Alert + "`", "## What it means\n", "## What to look at first\n", "```sh\n", "## What to do\n", "## What not to do\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not have %q", book, part)
			}
		}
	}
	files, err := filepath.Glob(deployDir + "/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	index := string(mustRead(t, deployDir+"/runbooks/README.md"))
	for _, file := range files {
		name := filepath.Base(file)
		text := string(mustRead(t, file))
		for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(link[1], "#") // the house follows headings
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), target)); err != nil {
				t.Errorf("%s leads to %s, which is not there", name, link[1])
			}
		}
		for _, alert := range regexp.MustCompile("`(Tollgate[A-Za-z]+)`").FindAllStringSubmatch(text, -1) {
			if !slices.Contains(names, alert[1]) {
				t.Errorf("%s speaks of %s, which there is not", name, alert[1])
			}
		}
		if name != "README.md" && (!slices.Contains(books, name) || !strings.Contains(index, "("+name+")")) {
			t.Errorf("no alert or no index leads to %s", name)
		}
	}
}

func TestAlertsFire(t *testing.T) {
	promtool := mustPromtool(t)
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "rules/alerts.yml", "rules/recording.yml"}, {"test", "rules", "tests/alerts_test.yml"},
	} {
		c := exec.Command(promtool, args...)
		c.Dir = deployDir + "/prometheus"
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

type dashboardTarget struct{ Expr, RefID string }

// panel is one panel of a dashboard.
type panel struct {
	ID      int               `json:"id"`
	Type    string            `json:"type"`
	Title   string            `json:"title"`
	Targets []dashboardTarget `json:"targets"`
	GridPos struct{ X, Y, W, H int }
	Panels  []panel `json:"panels"`
}

func mustDashboard(t *testing.T) (panels []panel, queries map[string]string) {
	t.Helper()
	var doc struct {
		UID        string  `json:"uid"`
		Panels     []panel `json:"panels"`
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Annotations struct{ List []struct{ Name, Expr string } }
	}
	if err := json.Unmarshal(mustRead(t, deployDir+"/grafana/tollgate.json"), &doc); err != nil {
		t.Fatal(err)
	}
	queries = map[string]string{}
	for _, p := range doc.Panels {
		panels = append(panels, p)
		panels = append(panels, p.Panels...)
	}
	for _, p := range panels {
		for _, target := range p.Targets {
			queries[fmt.Sprintf("panel %d %s %s", p.ID, p.Title, target.RefID)] = target.Expr
		}
	}
	for _, a := range doc.Annotations.List {
		queries["annotation "+a.Name] = a.Expr
	}
	for _, v := range doc.Templating.List {
		if m := regexp.MustCompile(`^label_values\((.+), ([a-z]+)\)$`).FindStringSubmatch(v.Definition); m != nil {
			queries["variable "+v.Name] = "count by (" + m[2] + ") (" + m[1] + ")"
		} else if v.Definition != "" {
			t.Errorf("the variable %s has another form: %s", v.Name, v.Definition)
		}
	}
	return panels, queries
}

func TestDashboard(t *testing.T) {
	panels, queries := mustDashboard(t)
	ids, at, sections := map[int]bool{}, map[[2]int]string{}, 0
	for _, p := range panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %d %q: its id is not its own, or it has no title", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			sections++
		} else if len(p.Targets) == 0 {
			t.Errorf("panel %q asks nothing", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := at[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies over %q", p.Title, other)
				}
				at[[2]int{x, y}] = p.Title
			}
		}
	}
	if sections < 8 {
		t.Errorf("%d sections", sections)
	}
	all, shown := catalogue(t), ""
	for where, query := range queries {
		checkNames(t, where, query, all, nil)
		shown += query + "\n"
	}
	for name := range all {
		if !strings.Contains(shown, name) && name != "tollgate_config_last_reload_successful" &&
			!strings.HasPrefix(name, "tollgate_ready") && !slices.Contains([]string{"tollgate_token_memory_entries", "tollgate_tls_handshakes_limit", "tollgate_revocation_feed_connected"}, name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	// Prometheus's own parser: every query as a rule.
	promtool := mustPromtool(t)
	var file strings.Builder
	file.WriteString("groups:\n- name: dashboard\n  rules:\n")
	i := 0
	for _, query := range queries {
		query = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$route", ".*").Replace(query)
		text, err := json.Marshal(query)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "  - record: dashboard:%d\n    expr: %s\n", i, text)
		i++
	}
	if out, err := exec.Command(promtool, "check", "rules", mustWrite(t, file.String())).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestProvisioning: what Grafana is started with is YAML, and leads to the dashboard.
func TestProvisioning(t *testing.T) {
	var boards struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	var sources struct {
		Datasources []struct {
			Type string
			URL  string `yaml:"url"`
		}
	}
	for file, into := range map[string]any{"dashboards/tollgate.yml": &boards, "datasources/prometheus.yml": &sources} {
		if err := yaml.Unmarshal(mustRead(t, deployDir+"/grafana/provisioning/"+file), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if len(boards.Providers) != 1 || boards.Providers[0].Options.Path == "" || len(sources.Datasources) != 1 || sources.Datasources[0].Type != "prometheus" {
		t.Errorf("%+v %+v", boards, sources)
	}
}
