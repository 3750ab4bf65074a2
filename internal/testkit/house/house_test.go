package house_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"tollgate/internal/testkit/house"
)

// sound is a small tree that every rule accepts: it does the things that are
// allowed where they are allowed.
func sound() map[string]string {
	return map[string]string{
		"go.mod":                              "module tollgate\n\ngo 1.26.0\n",
		".gitignore":                          "/bin/\n/tollgate\n",
		"tollgate":                            "a binary that somebody built",
		"README.md":                           "",
		"cmd/tollgate/doc.go":                 "// Command tollgate is the gateway.\npackage main\n",
		"cmd/tollgate/main.go":                "package main\n\nimport (\n\t\"os\"\n\t_ \"github.com/kelseyhightower/envconfig\"\n\t_ \"github.com/redis/go-redis/v9\"\n\t_ \"github.com/spf13/cobra\"\n\t_ \"tollgate/gateway\"\n\t_ \"tollgate/issuer\"\n)\n\nfunc main() { os.Getenv(\"CI\") }\n",
		"gateway/doc.go":                      "// Package gateway is the data plane.\npackage gateway\n",
		"gateway/gateway.go":                  "package gateway\n\nimport (\n\t_ \"github.com/labstack/echo/v4\"\n\t_ \"tollgate/keys/token\"\n\t_ \"tollgate/internal/problem\"\n)\n",
		"gateway/gateway_test.go":             "package gateway_test\n\nimport (\n\t\"os\"\n\t_ \"testing\"\n\t_ \"github.com/redis/go-redis/v9\"\n\t_ \"tollgate/internal/testkit\"\n\t_ \"tollgate/keys/ring\"\n)\n\nvar ci = os.Getenv(\"CI\")\n",
		"issuer/doc.go":                       "// Package issuer issues.\npackage issuer\n\nimport _ \"tollgate/issuer/session\"\n",
		"issuer/admin/doc.go":                 "// Package admin is the control plane.\npackage admin\n\nimport (\n\t_ \"tollgate/gateway\"\n\t_ \"tollgate/issuer\"\n)\n",
		"issuer/session/doc.go":               "// Package session rotates.\npackage session\n\nimport (\n\t_ \"github.com/redis/go-redis/v9\"\n\t_ \"tollgate/revocation\"\n)\n",
		"issuer/users/doc.go":                 "// Package users knows who may log in.\npackage users\n",
		"issuer/store/doc.go":                 "// Package store keeps small records.\npackage store\n",
		"keys/doc.go":                         "// Package keys is the public half.\npackage keys\n\nimport _ \"github.com/lestrrat-go/jwx/v2/jws\"\n",
		"keys/ring/doc.go":                    "// Package ring is the private half.\npackage ring\n\nimport _ \"tollgate/keys\"\n",
		"keys/keystore/doc.go":                "// Package keystore keeps a ring.\npackage keystore\n\nimport _ \"tollgate/keys/ring\"\n",
		"keys/remote/doc.go":                  "// Package remote fetches.\npackage remote\n",
		"keys/token/doc.go":                   "// Package token checks.\npackage token\n\nimport (\n\t_ \"tollgate/keys\"\n\t_ \"tollgate/revocation\"\n)\n",
		"revocation/doc.go":                   "// Package revocation says what is revoked.\npackage revocation\n\nimport _ \"github.com/redis/go-redis/v9\"\n",
		"revocation/revocationtest/doc.go":    "// Package revocationtest is the suite.\npackage revocationtest\n\nimport (\n\t_ \"testing\"\n\t_ \"tollgate/revocation\"\n)\n",
		"internal/problem/doc.go":             "// Package problem writes bodies.\npackage problem\n\nimport _ \"tollgate/keys/token\"\n",
		"internal/testkit/doc.go":             "// Package testkit helps.\npackage testkit\n\nimport (\n\t\"os\"\n\t_ \"testing\"\n\t_ \"github.com/alicebob/miniredis/v2\"\n)\n\nvar ci = os.Getenv(\"CI\")\n",
		"keys/testdata/broken.go":             "not Go at all",
		"deploy/examples/node_modules/x/x.go": "not Go either",
		".ci/tools/tools.go":                  "nor this",
	}
}

func load(t *testing.T, changes map[string]string) *house.Tree {
	t.Helper()
	files := sound()
	maps.Copy(files, changes)
	fsys := fstest.MapFS{}
	for name, text := range files {
		if text != "gone" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	tree, err := house.Load(fsys)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return tree
}

// TestLinksThatLead: files, folders and headings, and what is no link of the tree.
func TestLinksThatLead(t *testing.T) {
	tree := load(t, map[string]string{
		"docs/a.md": "# `One`, two: [three](../README.md)\n## Again\n## Again ##\n```sh\n# no heading [x](nowhere)\n```\n" +
			"[1](#one-two-three) [2](#again) [3](#again-1) [4](../gateway) [5](../gateway/doc.go#L1) [6](b.md \"title\") [7](https://example.com/x) [8](mailto:a@example.com) `[9](nowhere)`",
		"docs/b.md": "", "node_modules/x/a.md": "[x](nowhere)",
	})
	for _, r := range house.Rules() {
		if r.Name != "each link of a document leads somewhere" {
			continue
		}
		for _, f := range r.Run(tree) {
			t.Error(f)
		}
		if f := r.Run(load(t, map[string]string{"docs/a.md": "```\n## One\n```\n[1](#one)"})); len(f) != 1 {
			t.Errorf("a heading within code is one: %v", f)
		}
	}
}

func TestSoundTreePasses(t *testing.T) {
	tree := load(t, nil)
	for _, r := range house.Rules() {
		for _, f := range r.Run(tree) {
			t.Errorf("%s: %v", r.Name, f)
		}
	}
}

// TestEachRuleCanFail breaks the sound tree once for each rule and expects that
// rule, by name, to say so with the words given. A rule without a case fails.
func TestEachRuleCanFail(t *testing.T) {
	imports := func(pkg, path string) string { return "package " + pkg + "\n\nimport _ \"" + path + "\"\n" }
	long := "package keys\n\nfunc long() {\n" + strings.Repeat("\t_ = 0\n", house.FuncFault+1) + "}\n"
	cases := []struct{ rule, file, text, want string }{
		{"gateway never reaches issuer, keys/ring, keys/keystore", "gateway/a.go", imports("gateway", "tollgate/keys/ring"), "gateway must not import keys/ring (an edge cannot sign, even by mistake)"},
		{"gateway never reaches issuer, keys/ring, keys/keystore", "internal/problem/a.go", imports("problem", "tollgate/keys/keystore"), "gateway must not import keys/ring (through internal/problem, keys/keystore)"},
		{"gateway never reaches issuer, keys/ring, keys/keystore", "gateway/a.go", imports("gateway", "tollgate/issuer/users"), "gateway must not import issuer/users"},
		{"issuer never reaches gateway", "issuer/a.go", imports("issuer", "tollgate/issuer/admin"), "issuer must not import gateway (through issuer/admin)"},
		{"issuer/session never reaches gateway, issuer, issuer/admin, issuer/users, issuer/store", "issuer/session/a.go", imports("session", "tollgate/issuer/users"), "issuer/session must not import issuer/users"},
		{"issuer/users never reaches gateway, issuer, issuer/admin, issuer/session, issuer/store", "issuer/users/a.go", imports("users", "tollgate/issuer/session"), "issuer/users must not import issuer/session"},
		{"issuer/store never reaches gateway, issuer, issuer/admin, issuer/session, issuer/users", "issuer/store/a.go", imports("store", "tollgate/gateway"), "issuer/store must not import gateway"},
		{"keys never reaches gateway, issuer", "keys/ring/a.go", imports("ring", "tollgate/issuer/session"), "keys/ring must not import issuer/session"},
		{"keys never reaches keys/ring, keys/keystore, keys/remote, keys/token, revocation", "keys/a.go", imports("keys", "tollgate/revocation"), "keys must not import revocation"},
		{"keys/token never reaches keys/ring, keys/keystore", "keys/token/a.go", imports("token", "tollgate/keys/ring"), "keys/token must not import keys/ring"},
		{"keys/remote never reaches keys/ring, keys/keystore", "keys/remote/a.go", imports("remote", "tollgate/keys/ring"), "keys/remote must not import keys/ring"},
		{"revocation never reaches gateway, issuer, keys, internal, revocation/revocationtest, cmd", "revocation/a.go", imports("revocation", "tollgate/internal/problem"), "revocation must not import internal/problem"},
		{"internal never reaches gateway, issuer, keys/ring, keys/keystore", "internal/problem/a.go", imports("problem", "tollgate/gateway"), "internal/problem must not import gateway"},
		{"github.com/lestrrat-go/jwx only in keys", "issuer/a_test.go", imports("issuer", "github.com/lestrrat-go/jwx/v2/jwt"), "issuer must not import github.com/lestrrat-go/jwx/v2/jwt (leaving jwx"},
		{"github.com/redis/go-redis only in revocation, issuer/session, issuer/users, issuer/store, keys/keystore, internal/ratelimit, internal/testkit, cmd", "revocation/revocationtest/a.go", imports("revocationtest", "github.com/redis/go-redis/v9"), "revocation/revocationtest must not import github.com/redis/go-redis/v9"},
		{"github.com/alicebob/miniredis only in internal/testkit, cmd", "revocation/a.go", imports("revocation", "github.com/alicebob/miniredis/v2"), "revocation must not import"},
		{"github.com/labstack/echo only in gateway, issuer, issuer/admin", "keys/a.go", imports("keys", "github.com/labstack/echo/v4"), "keys must not import"},
		{"github.com/kelseyhightower/envconfig only in cmd", "gateway/a.go", imports("gateway", "github.com/kelseyhightower/envconfig"), "gateway must not import"},
		{"github.com/spf13/cobra only in cmd", "issuer/admin/a.go", imports("admin", "github.com/spf13/cobra"), "issuer/admin must not import"},
		{"testing only in internal/testkit, revocation/revocationtest", "keys/a.go", imports("keys", "testing"), "keys must not import testing"},
		{"nobody imports cmd", "gateway/a_test.go", imports("gateway", "tollgate/cmd/tollgate"), "gateway must not import tollgate/cmd/tollgate"},
		{"only tests import internal/testkit", "gateway/a.go", imports("gateway", "tollgate/internal/testkit"), "gateway must not import tollgate/internal/testkit"},
		{"only tests import revocation/revocationtest", "gateway/a.go", imports("gateway", "tollgate/revocation/revocationtest"), "gateway must not import"},
		{"the top level holds what the design names", "pkg/readme.txt", "", "pkg: does not belong"},
		{"internal holds four packages and a test kit", "internal/util/doc.go", "// Package util helps.\npackage util\n", "internal/util: is not one of"},
		{"every package has a doc.go", "gateway/doc.go", "gone", "gateway: has no doc.go"},
		{"every package has a doc.go", "gateway/doc.go", "package gateway\n", "gateway/doc.go: has no comment"},
		{"every package has a doc.go", "cmd/tollgate/doc.go", "// A program.\npackage main\n", "begins with \"Command tollgate \""},
		{"no init functions", "gateway/a_test.go", "package gateway\n\nfunc init() {}\n", "gateway/a_test.go:3:1: has an init function"},
		{"no file over 600 lines", "gateway/a_test.go", "package gateway\n" + strings.Repeat("\n", house.FileFault), "has 601 lines"},
		{"no function over 70 lines", "keys/a.go", long, "keys/a.go:3:1: long has 71 lines"},
		{"the environment is read in cmd alone", "keys/a.go", "package keys\n\nimport env \"os\"\n\nvar home = env.Getenv(\"HOME\")\n", "keys/a.go:5:12: touches the environment by Getenv"},
		{"each direct requirement has its reason", "go.mod", "module tollgate\n\nrequire example.com/new v1.0.0\n", "docs/dependencies.md: open docs/dependencies.md"},
		{"each link of a document leads somewhere", "docs/a.md", "See [b](b.md).", "docs/a.md: the link to b.md leads nowhere"},
		{"each link of a document leads somewhere", "docs/a.md", "![b](../gateway/b.png)", "the link to ../gateway/b.png leads nowhere"},
		{"each link of a document leads somewhere", "docs/a.md", "[up](../../x/README.md)", "leads nowhere"},
		{"each link of a document leads somewhere", "README.md", "# One\n\n[two](#two)", "README.md: the link to #two names a heading that is not there"},
		{"each link of a document leads somewhere", "docs/a.md", "[`x`](<../README.md#one>)", "the link to ../README.md#one names a heading"},
		{"each direct requirement has its reason", "docs/dependencies.md", "| `example.com/old` | v1.0.0 | was good |\n", "example.com/old is not a direct requirement"},
	}
	tried := map[string]bool{}
	for _, c := range cases {
		tried[c.rule] = true
		t.Run(c.rule, func(t *testing.T) {
			if got := faults(load(t, map[string]string{c.file: c.text}), c.rule); !strings.Contains(got, c.want) {
				t.Errorf("with %s the faults are %q, want one with %q", c.file, got, c.want)
			}
		})
	}
	for _, r := range house.Rules() {
		if !tried[r.Name] {
			t.Errorf("no case shows that %q can fail", r.Name)
		}
		if r.Reason == "" {
			t.Errorf("%q gives no reason", r.Name)
		}
	}
}

// faults returns what the rule of that name finds, one fault a line.
func faults(tree *house.Tree, name string) string {
	var lines []string
	for _, r := range house.Rules() {
		if r.Name == name {
			for _, f := range r.Run(tree) {
				lines = append(lines, f.String())
			}
		}
	}
	return strings.Join(lines, "\n")
}

// TestTestsAreJudgedApart: what product files must not do, test code may.
func TestTestsAreJudgedApart(t *testing.T) {
	long := "package keys\n\nfunc long() {\n" + strings.Repeat("\t_ = 0\n", house.FuncFault+1) + "}\n"
	tree := load(t, map[string]string{
		"keys/a_test.go":                    long,
		"revocation/revocationtest/a.go":    strings.Replace(long, "package keys", "package revocationtest", 1),
		"gateway/b_test.go":                 "package gateway\n\nimport _ \"tollgate/keys/keystore\"\n",
		"deploy/examples/x/interop_test.go": "//go:build interop\n\npackage x\n\nimport _ \"tollgate/internal/testkit\"\n",
	})
	for _, r := range house.Rules() {
		for _, f := range r.Run(tree) {
			t.Errorf("%s: %v", r.Name, f)
		}
	}
}

func TestRequirementsAreReadFromBothSides(t *testing.T) {
	tree := load(t, map[string]string{
		"go.mod":               "module tollgate\n\nrequire example.com/one v1.0.0\n\nrequire (\n\texample.com/two v2.0.0\n\texample.com/far v0.1.0 // indirect\n\texample.com/six v6.0.0\n)\n",
		"docs/dependencies.md": "| module | version | why |\n|---|---|---|\n| `example.com/one` | v1.0.0 | good |\n| `example.com/two` | v1.9.0 | old |\n",
	})
	got := faults(tree, "each direct requirement has its reason")
	for _, want := range []string{"does not name example.com/two v2.0.0", "does not name example.com/six v6.0.0"} {
		if !strings.Contains(got, want) {
			t.Errorf("faults are %q, want one with %q", got, want)
		}
	}
	if n := strings.Count(got, "docs/dependencies.md:"); n != 2 {
		t.Errorf("%d faults, want 2: %q", n, got)
	}
}

func TestSmells(t *testing.T) {
	tree := load(t, map[string]string{"keys/a.go": "package keys\n" + strings.Repeat("\n", house.FileSmell)})
	got := house.Smells(tree)
	if len(got) != 1 || got[0].Where != "keys/a.go" {
		t.Errorf("smells are %v, want keys/a.go alone", got)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	tests := map[string]fstest.MapFS{
		"module's name": {"a.go": {Data: []byte("package a\n")}},
		"a.go:1:1":      {"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("pakage a\n")}},
	}
	for want, fsys := range tests {
		if _, err := house.Load(fsys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
}
