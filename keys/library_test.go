package keys_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The library checks one signature with one key: its JWT parser is not even
// imported, and of its JWS none of what reads a whole token.
// .golangci.yml forbids the same; this holds where no linter runs.
func TestMustHold08_TheLibraryChecksOneSignature(t *testing.T) {
	const library = "github.com/lestrrat-go/jwx/v2/"
	root, verifiers := os.DirFS(".."), 0
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			part, theirs := strings.CutPrefix(name, library)
			if theirs && (!strings.HasPrefix(path, "keys/") || part != "jwa" && part != "jwk" && part != "jws") {
				t.Errorf("%s imports %s", path, name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				if from, ok := selector.X.(*ast.Ident); ok {
					verifiers += used(t, path, from.Name+"."+selector.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if verifiers != 1 {
		t.Errorf("%d places make a verifier, want one", verifiers)
	}
}

// used judges what a file uses of the library, and counts verifiers.
func used(t *testing.T, path, name string) int {
	t.Helper()
	switch {
	case name == "jws.NewVerifier":
		return 1
	case name == "jws.Signer" || name == "jws.NewSigner" || name == "jws.Verifier":
	case strings.HasPrefix(name, "jws."), strings.HasPrefix(name, "jwk.") && strings.Contains(name, "Cache"), name == "jwk.Fetch", name == "jwk.PublicSetOf":
		t.Errorf("%s uses %s", path, name)
	}
	return 0
}
