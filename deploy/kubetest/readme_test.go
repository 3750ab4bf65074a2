package kubetest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the chart's table of values anew")

// TestChartTable: the README has each value with its default and the comment of
// values.yaml, and every value has one.
func TestChartTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	table := "| value | default | meaning |\n|---|---|---|\n" + strings.Join(rows(t, string(text)), "\n") + "\n"
	name := filepath.Join(chartDir, "README.md")
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- values: begin -->\n", "<!-- values: end -->"
	head, rest, _ := strings.Cut(string(readme), begin)
	old, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("the README has no place for the table")
	}
	if *update {
		if err := os.WriteFile(name, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != table {
		t.Errorf("the README's table is not that of values.yaml: go test . -update\n%s", table)
	}
}

var keyed = regexp.MustCompile(`^( *)([A-Za-z]+):(.*)$`)

// rows reads values.yaml as it is written: a comment, the key under it.
func rows(t *testing.T, text string) []string {
	t.Helper()
	var out, path []string
	meaning := ""
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), "# -- "); ok {
			meaning = said
			continue
		}
		m := keyed.FindStringSubmatch(line)
		if m == nil || len(m[1])/2 > len(path) {
			continue
		}
		path = append(path[:len(m[1])/2], m[2])
		nested := m[3] == "" && i+1 < len(lines)
		switch {
		case meaning != "":
			out = append(out, fmt.Sprintf("| `%s` | `%s` | %s |", strings.Join(path, "."), value(t, m[3]), meaning))
			if nested { // its members are explained by it
				path = append(path, "")[:len(path)]
			}
		case !nested && len(path) == 1:
			t.Errorf("values.yaml: %s has no comment", m[2])
		}
		meaning = ""
	}
	return out
}

// value is a default in one line.
func value(t *testing.T, text string) string {
	t.Helper()
	text = strings.TrimSpace(text)
	if text == "" {
		return "see values.yaml"
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatal(err)
	}
	return text
}
