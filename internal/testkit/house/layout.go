package house

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// Limits of the house, in lines.
const (
	FileFault = 600 // more is a fault
	FileSmell = 400 // more is reported
	FuncFault = 70  // lines between the braces, comments included
)

// topLevel is what the design names at the top, dot files aside.
var topLevel = []string{
	"cmd", "gateway", "issuer", "revocation", "keys", "deploy", "docs", "internal",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE",
	"house_test.go", // these rules, run over the tree
}

// shared is what may stand under internal, four packages (one of them with parts of
// its own) beside the test kit and the benches of the whole program.
var shared = []string{"problem", "server", "server/http1", "server/octets", "telemetry", "ratelimit", "bench"}

// environment is the functions that read or change it.
var environment = []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv"}

func layoutRules() []Rule {
	return []Rule{
		{"the top level holds what the design names", "a reader finds each thing where its name says", checkTop},
		{"internal holds four packages and a test kit", "what has no owner collects there", checkInternal},
		{"every package has a doc.go", "a package says what it owns and what it must not know", checkDocs},
		{"no init functions", "what happens at import happens behind the wiring's back", checkInit},
		{fmt.Sprintf("no file over %d lines", FileFault), "one noun per file", checkFiles},
		{fmt.Sprintf("no function over %d lines", FuncFault), "a function is read in one piece", checkFuncs},
		{"the environment is read in cmd alone", "packages get plain structs, so that a setting has one name and one check", checkEnvironment},
	}
}

func checkTop(t *Tree) []Fault {
	var faults []Fault
	for _, name := range t.Top {
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			faults = append(faults, Fault{Where: name, What: "does not belong at the top level"})
		}
	}
	return faults
}

func checkInternal(t *Tree) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		name, ok := strings.CutPrefix(p.Dir, "internal/")
		if ok && !slices.Contains(shared, name) && !within(name, "testkit") {
			faults = append(faults, Fault{Where: p.Dir, What: "is not one of " + strings.Join(shared, ", ") + ", testkit"})
		}
	}
	return faults
}

func checkDocs(t *Tree) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		if !p.production() {
			continue
		}
		at := slices.IndexFunc(p.Files, func(f *File) bool { return path.Base(f.Name) == "doc.go" })
		if at < 0 {
			faults = append(faults, Fault{Where: p.Dir, What: "has no doc.go"})
			continue
		}
		name := p.Files[at].AST.Name.Name
		opening := "Package " + name + " "
		if name == "main" {
			opening = "Command " + path.Base(p.Dir) + " "
		}
		if text := p.Files[at].AST.Doc.Text(); !strings.HasPrefix(text, opening) {
			faults = append(faults, Fault{Where: p.Files[at].Name, What: fmt.Sprintf("has no comment that begins with %q", opening)})
		}
	}
	return faults
}

func checkInit(t *Tree) []Fault {
	return t.funcs(func(_ *Package, _ *File, fn *ast.FuncDecl) string {
		if fn.Recv == nil && fn.Name.Name == "init" {
			return "has an init function"
		}
		return ""
	})
}

func checkFiles(t *Tree) []Fault { return t.longer(FileFault) }

// Smells returns the files that are long but not yet a fault.
func Smells(t *Tree) []Fault { return t.longer(FileSmell) }

func (t *Tree) longer(limit int) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		for _, f := range p.Files {
			if f.Lines > limit {
				faults = append(faults, Fault{Where: f.Name, What: fmt.Sprintf("has %d lines", f.Lines)})
			}
		}
	}
	return faults
}

func checkFuncs(t *Tree) []Fault {
	return t.funcs(func(p *Package, f *File, fn *ast.FuncDecl) string {
		lines := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line - 1
		if f.Test || testSupport(p.Dir) || lines <= FuncFault {
			return ""
		}
		return fmt.Sprintf("%s has %d lines", fn.Name.Name, lines)
	})
}

// funcs returns a fault for each function of which fault says something.
func (t *Tree) funcs(fault func(*Package, *File, *ast.FuncDecl) string) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		for _, f := range p.Files {
			for _, d := range f.AST.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if what := fault(p, f, fn); what != "" {
					faults = append(faults, Fault{Where: t.fset.Position(fn.Pos()).String(), What: what})
				}
			}
		}
	}
	return faults
}

func checkEnvironment(t *Tree) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		if within(p.Dir, "cmd") || testSupport(p.Dir) {
			continue
		}
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			ast.Inspect(f.AST, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && reads(f, call) {
					faults = append(faults, Fault{Where: t.fset.Position(n.Pos()).String(), What: "touches the environment by " + call.Sel.Name})
				}
				return true
			})
		}
	}
	return faults
}

// reads says whether a selector is one of os's or syscall's functions on the
// environment, under whatever name the file imports the package.
func reads(f *File, sel *ast.SelectorExpr) bool {
	x, ok := sel.X.(*ast.Ident)
	if !ok || !slices.Contains(environment, sel.Sel.Name) {
		return false
	}
	return slices.ContainsFunc(f.AST.Imports, func(s *ast.ImportSpec) bool {
		imported := strings.Trim(s.Path.Value, `"`)
		name := imported
		if s.Name != nil {
			name = s.Name.Name
		}
		return (imported == "os" || imported == "syscall") && x.Name == name
	})
}
