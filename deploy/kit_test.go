// Package deploy_test holds the files of this folder to what the program and the
// tools say: what is copied from here has to work.
package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"

	"tollgate/internal/testkit/interop"
)

// built is the program as the image has it: TestMain builds it by the line of the
// Dockerfile, on this machine's Go.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tollgate-deploy-")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(dir, "tollgate")
	if err := buildAs(built); err != nil {
		panic(err)
	}
	if err := os.Setenv(interop.Built, built); err != nil {
		panic(err)
	}
	interop.Main(m)
	_ = os.RemoveAll(dir)
}

// buildAs runs the image's line of `go build` with another place for its output.
func buildAs(path string) error {
	line, err := buildLine()
	if err != nil {
		return err
	}
	line = strings.NewReplacer("-o /out/tollgate", "-o "+path, profile+" ", "").Replace(line)
	cmd := exec.Command("sh", "-euc", line)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "VERSION=v0.0.0-test")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", line, err, out)
	}
	return nil
}

// mustTool returns a tool's path. Where it is missing the test is skipped, or
// failed when CI=true.
func mustTool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	missing := fmt.Sprintf("no %s on PATH (Debian: apt-get install %s)", name, debian)
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// mustTools is mustTool for tools and their packages in turn.
func mustTools(t *testing.T, pairs ...string) {
	t.Helper()
	for pair := range slices.Chunk(pairs, 2) {
		mustTool(t, pair[0], pair[1])
	}
}

// variables are the names of all settings that the program knows, each secret's
// _FILE twin with them.
var variables = sync.OnceValues(func() (map[string]bool, error) {
	out, err := exec.Command(built, "config", "env", "-o", "json").Output()
	if err != nil {
		return nil, err
	}
	var items []struct {
		Name   string
		Secret bool
	}
	if err := json.Unmarshal(out, &items); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, i := range items {
		known[i.Name] = true
		if i.Secret {
			known[i.Name+"_FILE"] = true
		}
	}
	return known, nil
})

func mustVariables(t *testing.T) map[string]bool {
	t.Helper()
	known, err := variables()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// mustRead returns a file's text.
func mustRead(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree is a YAML document whose shape is somebody else's.
type tree = map[string]any

// at follows member names and returns what is there, nil where nothing is.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(tree)
		v = m[name]
	}
	return v
}

// list is at for a sequence.
func list(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// mustDocuments parses the YAML documents of a text.
func mustDocuments(t *testing.T, text string) []tree {
	t.Helper()
	var all []tree
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var one tree
		if err := decoder.Decode(&one); err != nil {
			if err.Error() == "EOF" {
				return all
			}
			t.Fatalf("%v\n%s", err, text)
		}
		if one != nil {
			all = append(all, one)
		}
	}
}
