package revocation_test

import (
	"flag"
	"os"
	"testing"

	"tollgate/internal/testkit"
)

// TestMain lets more tests run at a time than there are processors: each has servers
// of its own, and most of them wait.
func TestMain(m *testing.M) {
	testkit.QuietRedis()
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = flag.Set("test.parallel", "12")
	}
	os.Exit(m.Run())
}
