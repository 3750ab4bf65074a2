package main

import (
	"regexp"
	"slices"
	"strings"
)

// unknownVariables returns a warning for each variable of our prefix that no
// setting has, without its value. One that a later version will know is among
// them: better a warning than a setting that seems to be in force.
func unknownVariables(c *Config, environ []string) []string {
	var known []string
	for _, v := range variablesOf(c) {
		known = append(known, v.name)
		if v.secret() {
			known = append(known, v.name+"_FILE")
		}
	}
	var warnings []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "TOLLGATE_") || slices.Contains(known, name) || fromKubernetes(name) {
			continue
		}
		text := name + " is unknown to this version and has no effect"
		if near := nearest(name, known); near != "" {
			text += "; did you mean " + near + "?"
		}
		warnings = append(warnings, text)
	}
	slices.Sort(warnings)
	return warnings
}

// fromKubernetes reports whether the kubelet sets such a variable for a Service
// whose name is tollgate or begins with it.
func fromKubernetes(name string) bool {
	return strings.HasSuffix(name, "_SERVICE_HOST") ||
		strings.Contains(name, "_SERVICE_PORT") ||
		strings.HasSuffix(name, "_PORT") ||
		regexp.MustCompile(`_PORT_\d+_(TCP|UDP|SCTP)`).MatchString(name)
}

// nearest returns the known name that at most two slips of the finger are away.
func nearest(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
