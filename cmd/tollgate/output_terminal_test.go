package main

import (
	"bytes"
	"testing"
)

// TestTerminalIsSafe: no cell of a table reaches the terminal as a command to it.
func TestTerminalIsSafe(t *testing.T) {
	var out bytes.Buffer
	c := &cli{out: &out, output: "table"}
	if err := c.print(nil, []string{"A", "B"}, [][]string{{"a\x1b[31m\tb\n", "\u202eé – ok"}, {"", "x"}}); err != nil {
		t.Fatal(err)
	}
	if want := "A          B\na\ufffd[31m\ufffdb\ufffd  \ufffdé – ok\n-          x\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
