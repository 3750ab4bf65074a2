package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Built names the variable that holds the path of a tollgate that was built
// already: `make interop` builds one for all examples.
const Built = "TOLLGATE_INTEROP_BINARY"

// binary is the tollgate that the tests of this process run.
var binary string

// Main is the body of each example's TestMain: it builds tollgate, once, unless
// Built names one, and runs the tests.
func Main(m *testing.M) {
	if binary = os.Getenv(Built); binary != "" {
		m.Run()
		return
	}
	dir, err := os.MkdirTemp("", "tollgate-interop-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "tollgate")
	if out, err := exec.Command("go", "build", "-o", binary, "tollgate/cmd/tollgate").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build tollgate: %v\n%s", err, out))
	}
	m.Run()
}
