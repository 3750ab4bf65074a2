package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"
)

// Talk is a program that prints one JSON object a line, and that is told things
// by lines of its own. It may end by itself.
type Talk struct {
	*Process
	in    io.WriteCloser
	lines chan Line
}

// Line is one line that a program printed.
type Line struct {
	At     time.Time
	Object map[string]any
}

// Text returns a member as text; empty where there is none.
func (l Line) Text(name string) string {
	if value, there := l.Object[name]; there {
		return fmt.Sprint(value)
	}
	return ""
}

// MustTalk starts such a program.
func MustTalk(t *testing.T, dir string, env []string, program string, args ...string) *Talk {
	t.Helper()
	k := &Talk{Process: newProcess(t, dir, env, program, args), lines: make(chan Line, 10_000)}
	k.brief = true
	var err error
	if k.in, err = k.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	// Not StdoutPipe: Wait would close it before everything is read.
	r, w := io.Pipe()
	k.cmd.Stdout = io.MultiWriter(&k.log, w)
	k.start(program)
	go k.listen(r)
	go func() { <-k.done; w.Close() }()
	return k
}

func (k *Talk) listen(r io.Reader) {
	defer close(k.lines)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20) // the longest message of a test, with room
	for scanner.Scan() {
		line := Line{At: time.Now()}
		if json.Unmarshal(scanner.Bytes(), &line.Object) == nil {
			k.lines <- line
		}
	}
}

// MustSay tells the program a line.
func (k *Talk) MustSay(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(k.in, line+"\n"); err != nil {
		t.Fatalf("tell %s: %v", k.cmd.Path, err)
	}
}

// MustHear returns the next line that has one of the members, passing over others.
func (k *Talk) MustHear(t *testing.T, members ...string) Line {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, open := <-k.lines:
			if !open {
				t.Fatalf("%s ended without a line with %q", k.cmd.Path, members)
			}
			for _, member := range members {
				if _, there := line.Object[member]; there {
					return line
				}
			}
		case <-late:
			t.Fatalf("%s said nothing with %q within %s", k.cmd.Path, members, patience)
		}
	}
}

// Drain returns the lines that were said and not yet heard.
func (k *Talk) Drain() []Line {
	var list []Line
	for {
		select {
		case line, open := <-k.lines:
			if !open {
				return list
			}
			list = append(list, line)
		default:
			return list
		}
	}
}

// MustEnd closes the program's standard input.
func (k *Talk) MustEnd(t *testing.T) {
	t.Helper()
	if err := k.in.Close(); err != nil {
		t.Fatal(err)
	}
}
