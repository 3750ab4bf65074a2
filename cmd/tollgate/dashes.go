package main

import (
	"fmt"
	"slices"
	"strings"
)

// dashHint adds to an error of usage where a value goes that begins with a hyphen: to
// whoever copied a key's id it does not look like a flag. Behind "--" everything is a
// value, for every command.
func dashHint(args []string, err error) error {
	if err == nil || codeOf(err) != exitUsage {
		return err
	}
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	for _, a := range args {
		if takenForFlags(a, err.Error()) {
			return fmt.Errorf("%w (a value that begins with - goes behind a --, after all flags: -- %s)", err, a)
		}
	}
	return err
}

// takenForFlags reports whether it may be this argument that an error is about: one that
// the flags' library could not read, or one that it read as -o with a value.
func takenForFlags(arg, fault string) bool {
	if len(arg) < 3 || arg[0] != '-' {
		return false
	}
	if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(arg, "--") {
		return strings.HasSuffix(fault, "unknown flag: "+name) || strings.HasSuffix(fault, "bad flag syntax: "+arg)
	}
	if _, letters, unknown := strings.Cut(fault, " in -"); unknown { // those that were not read yet
		return strings.HasSuffix(arg, letters)
	}
	return strings.Contains("ho", arg[1:2]) && !slices.Contains([]string{"-ojson", "-otable", "-o=json", "-o=table"}, arg)
}
