package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// MustRender returns the text of an example's file with the addresses that a
// reader would find there replaced by those of the test. Each must be there:
// what runs is what stands in the file.
func MustRender(t *testing.T, name string, replace map[string]string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	var pairs []string
	for old, fresh := range replace {
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		pairs = append(pairs, old, fresh)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// MustWrite writes a file into a folder of the test and returns its path.
func MustWrite(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// MustInstall copies an example's files into a folder of the test, so that the
// tree stays as it is, and installs there what its package-lock.json pins.
func MustInstall(t *testing.T, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range append([]string{"package.json", "package-lock.json"}, files...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	MustRun(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	return dir
}

// MustPython returns a Python that has these modules: Debian's own before others
// on PATH. Packages are what to install otherwise.
func MustPython(t *testing.T, modules, packages string) string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if tryRun(t, python, "-c", "import "+modules) {
			return python
		}
	}
	t.Fatalf("no Python that can import %s (Debian: apt-get install %s)", modules, packages)
	return ""
}
