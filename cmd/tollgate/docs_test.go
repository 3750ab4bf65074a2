package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pagesOf are the texts of the documents that a pattern below docs names.
func pagesOf(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = string(text)
	}
	return out
}

// TestIntegrationPages: a piece of an example is what stands in the example, which is
// what was run.
func TestIntegrationPages(t *testing.T) {
	piece := regexp.MustCompile("(?s)<!-- from: ([^ ]+) -->\n```[a-z]+\n(.*?)```\n")
	found := 0
	for file, text := range pagesOf(t, "integrations/*.md") {
		for _, m := range piece.FindAllStringSubmatch(text, -1) {
			found++
			source, err := os.ReadFile(filepath.Join(filepath.Dir(file), m[1]))
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if !strings.Contains(string(source), m[2]) {
				t.Errorf("%s: this does not stand in %s:\n%s", file, m[1], m[2])
			}
		}
		if strings.Count(text, "<!-- from: ") != len(piece.FindAllString(text, -1)) {
			t.Errorf("%s: a piece of another form", file)
		}
	}
	if found < 10 {
		t.Errorf("only %d pieces", found)
	}
}

// TestDocumentsNameTests: where a document gives a test as its proof, there is one.
func TestDocumentsNameTests(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != "../.." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir // git's files come and go
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for file, text := range pagesOf(t, "*.md") {
		for _, m := range regexp.MustCompile("`((?:Test|Benchmark)[A-Z]\\w*)`").FindAllStringSubmatch(text, -1) {
			if named++; !there[m[1]] {
				t.Errorf("%s: there is no %s", file, m[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("the documents name only %d tests", named)
	}
}

// Each group of variables has its table in docs/configuration.md, made of the same as
// `tollgate config env` (go test ./cmd/tollgate -run TestReadmeTable -update writes it anew).
func TestReadmeTableByGroup(t *testing.T) {
	const file, begin, end = "../../docs/configuration.md", "<!-- groups: begin -->\n", "<!-- groups: end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if err := writeEnvTable(&all); err != nil {
		t.Fatal(err)
	}
	var tables strings.Builder
	for line := range strings.Lines(all.String()) {
		group, rest, _ := strings.Cut(strings.TrimPrefix(line, "| "), "| ")
		if !strings.HasPrefix(rest, "`TOLLGATE_") {
			continue // the head, and what follows the table
		}
		if group = strings.TrimSpace(group); group != "" {
			fmt.Fprintf(&tables, "\n### %s\n\n| variable | default | meaning |\n|---|---|---|\n", group)
		}
		fmt.Fprint(&tables, "| "+rest)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", file)
	}
	want := head + begin + strings.TrimPrefix(tables.String(), "\n") + "\n" + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not what `tollgate config env` says: run this test with -update", file)
	}
	if n := len(slices.Collect(strings.Lines(tables.String()))); n < 80 {
		t.Errorf("only %d lines", n)
	}
}
