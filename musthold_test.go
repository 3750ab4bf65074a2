package tollgate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The library checks one signature with one key: its JWT parser is not even
// imported, and of its JWS none of what reads a whole token (security.md 1.1).
// .golangci.yml forbids the same; this holds where no linter runs.
func TestMustHold08_TheLibraryChecksOneSignature(t *testing.T) {
	const library = "github.com/lestrrat-go/jwx/v2/"
	verifiers := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			part, ours := strings.CutPrefix(name, library)
			if ours && (!strings.HasPrefix(path, "keys"+string(filepath.Separator)) || part != "jwa" && part != "jwk" && part != "jws") {
				t.Errorf("%s imports %s", path, name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch from, ok := call.X.(*ast.Ident); {
			case !ok:
			case from.Name == "jws" && call.Sel.Name == "NewVerifier":
				verifiers++
			case from.Name == "jws" && call.Sel.Name != "Signer" && call.Sel.Name != "NewSigner" && call.Sel.Name != "Verifier":
				t.Errorf("%s uses jws.%s", path, call.Sel.Name)
			case from.Name == "jwk" && (strings.Contains(call.Sel.Name, "Cache") || call.Sel.Name == "Fetch" || call.Sel.Name == "PublicSetOf"):
				t.Errorf("%s uses jwk.%s", path, call.Sel.Name)
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
