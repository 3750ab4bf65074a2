package admin

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/gateway"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit/contract"
)

func mustDocument(t *testing.T) *contract.Document {
	t.Helper()
	d, err := contract.Load(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOpenAPIRows: each row is described, and nothing else is.
func TestOpenAPIRows(t *testing.T) {
	described, rows := mustDocument(t).Operations(), []string{}
	name := regexp.MustCompile(`:([a-z]+)`)
	for _, r := range (&Admin{}).rows() {
		rows = append(rows, r.method+" "+name.ReplaceAllString(r.path, "{$1}"))
	}
	for _, r := range rows {
		if !slices.Contains(described, r) {
			t.Errorf("openapi.yaml does not describe the row %s", r)
		}
	}
	for _, d := range described {
		if !slices.Contains(rows, d) {
			t.Errorf("openapi.yaml describes %s, which is no row", d)
		}
	}
}

// TestDocumentedRows: docs/http-api.md has a line for each row, and for nothing else.
func TestDocumentedRows(t *testing.T) {
	text, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /admin/v1/[^`]*)` \\|").FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, m[1])
	}
	slices.Sort(lines)
	if diff := cmp.Diff(mustDocument(t).Operations(), lines); diff != "" {
		t.Errorf("docs/http-api.md (-rows +lines):\n%s", diff)
	}
}

// TestOpenAPIMembers: each member of what is sent and taken is described, whether it
// always is there too, and nothing else is. An answer that no test provokes counts.
func TestOpenAPIMembers(t *testing.T) {
	d := mustDocument(t)
	answers := map[string]any{
		"Revocation": revocationItem{}, "RevocationPage": page[revocationItem]{}, "EdgeCount": edgeCount{}, "Recovered": recovered{}, "Session": sessionItem{},
		"MintedToken": mintedItem{}, "RefreshedToken": refreshedItem{}, "SessionPage": page[sessionItem]{}, "Key": keyItem{}, "KeyChange": change{}, "RotationCost": costBody{}, "Ring": ringBody{},
		"Edge": edgeItem{}, "EdgePage": page[edgeItem]{}, "Status": Status{}, "Check": Check{}, "Mirror": Mirror{}, "Sample": telemetry.Sample{}, "Setting": Setting{},
		"SettingPage": page[Setting]{}, "Target": targetItem{}, "TargetPage": page[targetItem]{}, "Route": gateway.Description{}, "RoutePage": page[gateway.Description]{},
		"Finding": gateway.Finding{}, "OtherRoute": gateway.Other{}, "User": userItem{}, "UserPage": page[userItem]{}, "Imported": importAnswer{}, "ImportRefusal": importRefusal{},
		"Client": clientItem{}, "ClientPage": page[clientItem]{}, "IssuedToken": tokenItem{}, "Explanation": explainAnswer{}, "ExplainStep": explainStep{}, "ExplainedToken": explainToken{},
		"Who": whoBody{}, "AdminToken": adminTokenItem{}, "AdminTokenPage": page[adminTokenItem]{}, "AuditLine": auditItem{}, "AuditPage": page[auditItem]{},
	}
	// What is taken has no member that must be there but by its meaning.
	orders := map[string]any{
		"RevocationOrder": revocationBody{}, "RecoverOrder": recoverOrder{}, "RotateOrder": rotateBody{}, "RouteQuestion": routeQuestion{}, "NewUser": userBody{},
		"UserChange": userChange{}, "ImportOrder": importQuestion{}, "ImportedUser": importedUser{}, "TokenOrder": tokenOrder{}, "ExplainOrder": explainBody{},
		"NewAdminToken": adminTokenBody{},
	}
	for _, name := range d.Schemas() {
		members, required := d.Properties(name)
		if v, ok := answers[name]; ok {
			all, always := fieldsOf(v)
			if diff := cmp.Diff(all, members); diff != "" {
				t.Errorf("%s (-sent +described):\n%s", name, diff)
			}
			if diff := cmp.Diff(always, required); diff != "" {
				t.Errorf("%s: what is always there (-sent +described):\n%s", name, diff)
			}
			continue
		}
		if v, ok := orders[name]; ok {
			all, _ := fieldsOf(v)
			if diff := cmp.Diff(all, members); diff != "" {
				t.Errorf("%s (-taken +described):\n%s", name, diff)
			}
			continue
		}
		// Two are one struct; the others are no objects of ours.
		if !slices.Contains([]string{"NewClient", "ClientChange", "Problem", "Role", "KnownRole", "JWK", "Time", "MaybeTime", "Duration", "Strings"}, name) {
			t.Errorf("no type is compared with %s", name)
		}
	}
	one, _ := d.Properties("NewClient")
	two, _ := d.Properties("ClientChange")
	both := slices.Compact(slices.Sorted(slices.Values(append(one, two...))))
	if all, _ := fieldsOf(clientBody{}); !slices.Equal(all, both) {
		t.Errorf("a client's body takes %v, described are %v", all, both)
	}
}

// fieldsOf returns the JSON members of a struct, and those that are always there.
func fieldsOf(v any) (all, always []string) {
	for f := range reflect.TypeOf(v).Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if all = append(all, name); options != "omitempty" {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}

// TestProblemCodes: each code of the sources is described, in docs/problems.md too, and
// nothing else is.
func TestProblemCodes(t *testing.T) {
	described := mustDocument(t).Enum("Problem", "code")
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			text, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`Code: +"([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
				used = append(used, m[1])
			}
		}
	}
	slices.Sort(used)
	if diff := cmp.Diff(slices.Compact(used), described); diff != "" {
		t.Errorf("openapi.yaml (-used +described):\n%s", diff)
	}
	text, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, m[1])
	}
	if diff := cmp.Diff(described, rows); diff != "" {
		t.Errorf("docs/problems.md (-described +there):\n%s", diff)
	}
}
