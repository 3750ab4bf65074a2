package house

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Tree is the source of one module, read once.
type Tree struct {
	Module   string
	Top      []string            // names at the top level, build output left out
	Packages map[string]*Package // by folder, "." for the root

	fset *token.FileSet
	fsys fs.FS
}

// Package is the Go files of one folder.
type Package struct {
	Dir   string // slash-separated, relative to the module's root
	Files []*File
}

// File is one Go file, whatever its build constraints.
type File struct {
	Name  string // path relative to the module's root
	Test  bool   // a _test.go file
	Lines int
	AST   *ast.File
}

// Load parses every Go file of the module that fsys holds. It leaves out what
// the go command leaves out (testdata, names that start with a dot or an
// underscore, nested modules) and the folders that npm fills.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{Packages: map[string]*Package{}, fset: token.NewFileSet(), fsys: fsys}
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("read the module's name: %w", err)
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	t.Module = strings.TrimSpace(strings.TrimPrefix(first, "module "))
	if t.Top, err = top(fsys); err != nil {
		return nil, err
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && skipped(fsys, name):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go"):
			return t.add(name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	return t, nil
}

func skipped(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

func (t *Tree) add(name string) error {
	src, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(t.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := t.Packages[dir]
	if p == nil {
		p = &Package{Dir: dir}
		t.Packages[dir] = p
	}
	p.Files = append(p.Files, &File{
		Name: name, Test: strings.HasSuffix(name, "_test.go"),
		Lines: strings.Count(string(src), "\n"), AST: f,
	})
	return nil
}

// top lists the top level without what .gitignore names there: a binary that
// somebody built is not part of the house.
func top(fsys fs.FS) ([]string, error) {
	ignored, err := fs.ReadFile(fsys, ".gitignore")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read .gitignore: %w", err)
	}
	output := strings.Fields(string(ignored))
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read the top level: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !slices.Contains(output, "/"+e.Name()) && !slices.Contains(output, "/"+e.Name()+"/") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// sorted returns the packages in the order of their folders, so that faults
// come in the same order each time.
func (t *Tree) sorted() []*Package {
	list := make([]*Package, 0, len(t.Packages))
	for _, p := range t.Packages {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return list
}

// own returns the folder of an import path of this module.
func (t *Tree) own(importPath string) (dir string, ok bool) {
	if importPath == t.Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, t.Module+"/")
}

// imports returns the import paths of a file.
func (f *File) imports() []string {
	var list []string
	for _, s := range f.AST.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// production says whether the package has a file that ends up in a binary.
func (p *Package) production() bool {
	return slices.ContainsFunc(p.Files, func(f *File) bool { return !f.Test })
}
