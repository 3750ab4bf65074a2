package admin

import (
	"strings"
	"time"

	"tollgate/issuer/store"
)

// Row is one endpoint as a test calls it: with a word in each place of the path.
type Row struct{ Method, Path string }

// Rows returns all endpoints, from the table itself, so that no test forgets one.
func Rows() []Row {
	var out []Row
	for _, r := range (&Admin{}).rows() {
		parts := strings.Split(r.path, "/")
		for i, part := range parts {
			if strings.HasPrefix(part, ":") {
				parts[i] = "x"
			}
		}
		out = append(out, Row{r.method, strings.Join(parts, "/")})
	}
	return out
}

// Access is what a role may, of one row.
type Access struct{ Method, Path, Least, Action string }

// Accesses returns the table of the roles as it is.
func Accesses() []Access {
	var out []Access
	for _, a := range accesses() {
		out = append(out, Access{a.method, a.path, string(a.least), a.action})
	}
	return out
}

// Refusals decides which refusals leave a line.
type Refusals struct{ refusals }

// Note counts one, and returns for how many the line stands that it leaves at once.
func (r *Refusals) Note(key string, now time.Time) int {
	l, _ := r.note(key, store.Line{Detail: "reason", Remote: key}, now)
	return l.Count
}

// Due returns the lines that are due.
func (r *Refusals) Due(now time.Time, last bool) []store.Line { return r.due(now, last) }

// Keys is how many keys are told apart.
const Keys = refusalKeys

// WaitsOfOne is how many requests with one admin token may wait.
const WaitsOfOne = waitsOfOne

// Waiting is how many requests wait.
func (a *Admin) Waiting() int {
	a.waits.mu.Lock()
	defer a.waits.mu.Unlock()
	return a.waits.all
}
