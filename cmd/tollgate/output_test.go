package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape returns the members of a JSON document with their types, one on each line.
// Items of a list are one; what two of them have in different types is both.
func shape(v any, at string, into map[string]map[string]bool) {
	note := func(kind string) {
		if into[at] == nil {
			into[at] = map[string]bool{}
		}
		into[at][kind] = true
	}
	switch v := v.(type) {
	case map[string]any:
		note("object")
		for name, each := range v {
			shape(each, at+"."+name, into)
		}
	case []any:
		note("list")
		for _, each := range v {
			shape(each, at+"[]", into)
		}
	case nil:
		note("null")
	case string:
		note("text")
	case bool:
		note("bool")
	default:
		note("number")
	}
}

// TestJSONIsStable: every command with -o json, against a running system. The golden
// file has the members and their types: one that goes away or changes its type breaks
// somebody's script (-update writes it anew).
func TestJSONIsStable(t *testing.T) {
	s := mustSystem(t)
	for name, value := range map[string]string{
		"TOLLGATE_ADMIN_TOKEN": rootToken, "TOLLGATE_ISSUER": testIssuer, "TOLLGATE_REDIS_URL": s.Redis.URL, "TOLLGATE_KEY_ENCRYPTION_KEY": testSealing, "TOLLGATE_UPSTREAM": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	s.mustAddUser(ada, adaPassword)
	pair := s.mustLogin(ada, adaPassword)
	sid, kid := claimsOf(t, pair.Access)["sid"].(string), headerOf(t, pair.Access)["kid"].(string)
	var golden strings.Builder
	ask := func(stdin, line string) map[string]any {
		t.Helper()
		args := strings.Fields(strings.NewReplacer("SID", sid, "KID", kid).Replace(line))
		code, out, errOut := tell(stdin, append(args, "-o", "json", "--server", s.Admin)...)
		if code != exitDone && args[0] != "doctor" { // which finds that this is a test's Redis
			t.Errorf("%s: exit %d %s", line, code, errOut)
		}
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Errorf("%s is no JSON: %v\n%s", line, err, out)
		}
		if v == nil {
			t.Errorf("%s: nothing is null, and not an empty list", line)
		}
		found := map[string]map[string]bool{}
		shape(v, "", found)
		fmt.Fprintf(&golden, "\n# %s\n", line)
		for _, at := range slices.Sorted(maps.Keys(found)) {
			name := strings.TrimPrefix(at, ".")
			if name == "" {
				name = "."
			}
			fmt.Fprintf(&golden, "%s %s\n", name, strings.Join(slices.Sorted(maps.Keys(found[at])), "|"))
		}
		first, _ := v.(map[string]any)
		return first
	}
	ask("", "version")
	ask("", "config env")
	ask("", "config print --changed")
	ask("", "doctor")
	for _, empty := range []string{"revocations list", "clients list", "sessions list --subject nobody"} {
		ask("", empty)
	}
	ask("", "users list")
	ask(adaPassword, "users add bob --password-stdin --id 77 --email b@x --attr tenant=acme")
	ask("", "routes list")
	ask("", "routes check GET https://shop.example.com/x")
	ask("", "sessions list")
	ask("", "sessions show SID")
	ask("", "edges")
	ask(pair.Access, "token inspect -")
	ask(pair.Access, "token verify -")
	ask(pair.Access, "token explain - --url /x")
	ask("", "token issue --user 1")
	ask("", "clients add reports --scope shop:read")
	ask("", "clients rotate-secret reports --yes")
	ask("", "clients list")
	id := ask("", "revoke jti j --reason why --wait 20s --yes")["id"].(string)
	ask("", "revocations list")
	ask("", "unrevoke "+id)
	ask("", "sessions revoke SID --yes")
	ask("", "keys list")
	ask("", "keys rotate --now --yes")
	ask("", "keys retire KID --yes")
	ask("", "keys revoke KID --yes")
	ask("", "keys jwks --url "+s.Public)
	ask("", "recover --end-all --yes")
	compareGolden(t, filepath.Join("testdata", "output.golden"), strings.ReplaceAll(strings.ReplaceAll(golden.String(), id, "ID"), s.Public, "URL"))
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
