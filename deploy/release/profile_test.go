package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfile: the tools read the profile, it is of this program under load, and the
// compiler is given it for a release.
func TestProfile(t *testing.T) {
	root := filepath.Join("..", "..")
	r := release{version: "v1.2.3", source: root}
	if r.profile() == "off" {
		t.Fatal("the tree has no profile")
	}
	top, err := exec.Command("go", "tool", "pprof", "-top", "-cum", "-nodecount=500", filepath.Join(root, r.profile())).CombinedOutput()
	if err != nil {
		t.Fatalf("pprof: %v\n%s", err, top)
	}
	for _, want := range []string{"Type: cpu", "tollgate/gateway.", "tollgate/keys/token."} {
		if !strings.Contains(string(top), want) {
			t.Errorf("the profile has no %s:\n%s", want, top)
		}
	}
	// -n prints what would be run and runs nothing.
	for _, plain := range []bool{false, true} {
		r.plain = plain
		plan, err := r.compile(nil, "-n", "-a", "-o", filepath.Join(t.TempDir(), "tollgate"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plan, "-pgoprofile=") == plain || !strings.Contains(plan, "-p tollgate/gateway ") {
			t.Errorf("plain %v: the compiler's plan is wrong:\n%.2000s", plain, plan)
		}
	}
}
