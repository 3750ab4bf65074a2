package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDoctorsChecksAreDocumented: the names are a promise to scripts, and each stands
// in docs/doctor.md, where no other stands.
func TestDoctorsChecksAreDocumented(t *testing.T) {
	const group = `(configuration|files|certificates|listeners|redis|store|users|keys|issuers|upstreams)\.[a-z]+`
	names := func(text, pattern string) []string {
		set := map[string]bool{}
		for _, m := range regexp.MustCompile(pattern).FindAllString(text, -1) {
			set[strings.Trim(m, "\"`")] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	files, err := filepath.Glob("*doctor*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	made, told := names(source.String(), `"`+group+`"`), names(string(page), "`"+group+"`")
	if len(made) < 30 || !slices.Equal(made, told) {
		t.Errorf("the doctor has\n%q\nthe documentation\n%q", made, told)
	}
}
