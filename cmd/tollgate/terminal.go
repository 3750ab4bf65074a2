package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// errInterrupted is what reading from standard input ends with when the program is told
// to end: every command reads before it does anything.
var errInterrupted = errors.New("interrupted: nothing was done")

// readAtOnce is the most that is read in one piece.
const readAtOnce = 64 << 10

// interruptible is standard input that ends with the program. A signal that is taken
// for a context ends no read that waits for somebody to type: without this, nobody could
// leave a question but by answering it.
type interruptible struct {
	from io.Reader
	end  <-chan struct{}
}

// Read implements io.Reader. A read that is given up goes on until the process ends:
// what it brings is for nobody.
func (i *interruptible) Read(p []byte) (int, error) {
	type piece struct {
		data []byte
		err  error
	}
	came := make(chan piece, 1)
	go func() {
		data := make([]byte, min(len(p), readAtOnce))
		n, err := i.from.Read(data)
		came <- piece{data[:n], err}
	}()
	select {
	case <-i.end:
		return 0, errInterrupted
	case got := <-came:
		return copy(p, got.data), got.err
	}
}

// asks reports whether somebody can answer a question.
func (c *cli) asks() bool {
	in := c.in
	if i, ok := in.(*interruptible); ok {
		in = i.from
	}
	f, ok := in.(*os.File)
	return ok && isTerminal(f)
}

// secretFromStdin reads one secret: everything on standard input but for one
// final line break. Secrets do not come by argument, where every process of the
// machine could read them.
func (c *cli) secretFromStdin(what string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(c.in, 64<<10))
	if err != nil {
		return "", exitWith(exitUsage, "read the %s from standard input: %w", what, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		return "", exitWith(exitUsage, "standard input holds no %s", what)
	}
	return secret, nil
}
