package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// level says how bad a finding is.
type level string

const (
	levelError   level = "error"   // something does not work, or a promise is not kept
	levelWarning level = "warning" // it works until something else happens
	levelInfo    level = "info"    // worth to be known
)

// rank orders levels, the worst first.
func (l level) rank() int { return slices.Index([]level{levelError, levelWarning, levelInfo}, l) }

// finding is one thing that somebody who runs tollgate should know. Its texts hold
// no secret.
type finding struct {
	Level level `json:"level"`
	// Check names what was looked at: a group, a dot and a word. It is fixed, so that
	// scripts can go by it.
	Check   string `json:"check"`
	Where   string `json:"where,omitempty"` // of several: the server, file or listener
	Found   string `json:"found"`           // what is so
	Meaning string `json:"meaning"`         // what comes of it
	Do      string `json:"do,omitempty"`    // what to do about it
}

// report is all that the doctor has to say.
type report struct {
	Findings []finding `json:"findings"`
	// Looked says which groups were looked at: what has no finding there is well.
	Looked   []string `json:"looked_at"`
	Errors   int      `json:"errors"`
	Warnings int      `json:"warnings"`
	Infos    int      `json:"infos"`
}

// newReport sorts the findings, the worst first, and puts those together that differ
// in their place alone: the nodes of a cluster are often set up alike.
func newReport(all []finding, looked []string) *report {
	r := &report{Findings: merged(all), Looked: looked}
	slices.SortStableFunc(r.Findings, func(a, b finding) int { return cmp.Compare(a.Level.rank(), b.Level.rank()) })
	for _, f := range r.Findings {
		switch f.Level {
		case levelError:
			r.Errors++
		case levelWarning:
			r.Warnings++
		case levelInfo:
			r.Infos++
		}
	}
	return r
}

func merged(all []finding) []finding {
	out := []finding{}
	for _, f := range all {
		same := func(o finding) bool { o.Where = f.Where; return o == f }
		if i := slices.IndexFunc(out, same); i < 0 {
			out = append(out, f)
		} else if f.Where != "" && !slices.Contains(strings.Split(out[i].Where, ", "), f.Where) {
			out[i].Where += ", " + f.Where
		}
	}
	return out
}

// write shows the report to people.
func (r *report) write(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-8s %s", strings.ToUpper(string(f.Level)), f.Check)
		if f.Where != "" {
			fmt.Fprintf(&b, "  (%s)", f.Where)
		}
		fmt.Fprintf(&b, "\n    found:   %s\n    meaning: %s\n", f.Found, f.Meaning)
		if f.Do != "" {
			fmt.Fprintf(&b, "    do:      %s\n", f.Do)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s, %s, %s. Looked at: %s.\n", plural(r.Errors, "error"), plural(r.Warnings, "warning"),
		plural(r.Infos, "note"), strings.Join(r.Looked, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
