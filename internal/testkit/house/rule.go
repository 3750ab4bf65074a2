package house

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is one rule of the house.
type Rule struct {
	Name   string
	Reason string
	Check  func(*Tree) []Fault
}

// Fault is one place where a rule does not hold.
type Fault struct {
	Where  string // file:line, package or name
	What   string
	Reason string
}

// String returns "where: what (reason)".
func (f Fault) String() string { return fmt.Sprintf("%s: %s (%s)", f.Where, f.What, f.Reason) }

// Run returns the faults of one rule, each with the rule's reason.
func (r Rule) Run(t *Tree) []Fault {
	faults := r.Check(t)
	for i := range faults {
		if faults[i].Reason == "" {
			faults[i].Reason = r.Reason
		}
	}
	return faults
}

// Rules returns every rule of the house.
func Rules() []Rule {
	return slices.Concat(importRules(), layoutRules(), moduleRules(), documentRules())
}

// within says whether dir is one of the roots or below one of them. A root that
// ends in "!" stands for that folder alone.
func within(dir string, roots ...string) bool {
	for _, root := range roots {
		if alone, ok := strings.CutSuffix(root, "!"); ok {
			if dir == alone {
				return true
			}
			continue
		}
		if dir == root || strings.HasPrefix(dir, root+"/") {
			return true
		}
	}
	return false
}

// testSupport says whether a package's plain files serve tests only.
func testSupport(dir string) bool {
	return within(dir, "internal/testkit", "revocation/revocationtest")
}
