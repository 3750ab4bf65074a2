package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

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
