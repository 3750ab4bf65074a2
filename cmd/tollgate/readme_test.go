package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated table into the README")

// The README's table of variables is that of `tollgate config env`
// (go test ./cmd/tollgate -run TestReadmeTable -update writes it anew).
func TestReadmeTable(t *testing.T) {
	const readme, begin, end = "../../README.md", "<!-- config env: begin -->\n", "<!-- config env: end -->"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := writeEnvTable(&table); err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has no place for the table")
	}
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Error("the README's table is not that of `tollgate config env`: run this test with -update")
	}
}
