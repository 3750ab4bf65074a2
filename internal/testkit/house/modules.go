package house

import (
	"fmt"
	"io/fs"
	"strings"
)

// dependencies is the document that gives the reason for each direct requirement.
const dependencies = "docs/dependencies.md"

func moduleRules() []Rule {
	return []Rule{{
		"each direct requirement has its reason", "a dependency that nobody can explain is one to leave",
		checkRequirements,
	}}
}

// checkRequirements compares go.mod's direct requirements with the rows of
// docs/dependencies.md, which begin with the module and its version: both ways,
// so that a row does not outlive its module.
func checkRequirements(t *Tree) []Fault {
	mod, err := fs.ReadFile(t.fsys, "go.mod")
	if err != nil {
		return []Fault{{Where: "go.mod", What: err.Error()}}
	}
	direct := requirements(string(mod))
	doc, err := fs.ReadFile(t.fsys, dependencies)
	if err != nil && len(direct) > 0 {
		return []Fault{{Where: dependencies, What: err.Error()}}
	}
	named := rows(string(doc))
	var faults []Fault
	for module, version := range direct {
		if named[module] != version {
			faults = append(faults, Fault{Where: dependencies, What: fmt.Sprintf("does not name %s %s", module, version)})
		}
	}
	for module := range named {
		if direct[module] == "" {
			faults = append(faults, Fault{Where: dependencies, What: module + " is not a direct requirement of go.mod"})
		}
	}
	return faults
}

// requirements returns module and version of every direct requirement.
func requirements(mod string) map[string]string {
	direct := map[string]string{}
	block := false
	for line := range strings.Lines(mod) {
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			block = true
			continue
		case line == ")":
			block = false
			continue
		case strings.HasPrefix(line, "require "):
			line = strings.TrimPrefix(line, "require ")
		case !block:
			continue
		}
		if f := strings.Fields(line); len(f) >= 2 && !strings.Contains(line, "// indirect") {
			direct[f[0]] = f[1]
		}
	}
	return direct
}

// rows returns module and version of each table row "| `module` | version | …".
func rows(doc string) map[string]string {
	named := map[string]string{}
	for line := range strings.Lines(doc) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		module := strings.TrimSpace(cells[1])
		if bare := strings.Trim(module, "`"); bare != module {
			named[bare] = strings.TrimSpace(cells[2])
		}
	}
	return named
}
