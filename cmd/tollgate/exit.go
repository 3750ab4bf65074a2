package main

import (
	"errors"
	"fmt"
	"io/fs"
)

// Exit codes, a promise to scripts.
const (
	exitDone         = 0
	exitRefused      = 1 // refused or failed: a token not valid, findings
	exitUsage        = 2 // usage or configuration
	exitUnreachable  = 3 // server or Redis cannot be reached
	exitUnauthorised = 4
	exitNotFound     = 5
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func exitWith(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

// codeOf returns the exit code of what a command returned. Cobra's own errors
// (unknown command, missing argument) carry none: they are about usage.
func codeOf(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errInterrupted) { // whatever the command has made of it
		return exitRefused
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	var out *fs.PathError
	if errors.As(err, &out) && out.Op == "write" { // the disk is full, or nobody reads
		return exitRefused
	}
	return exitUsage
}
