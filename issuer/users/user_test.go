package users

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAttribute(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 123000, time.FixedZone("", 3600))
	u := User{
		ID: "7", Username: "ada", IsActive: true, IsSuperuser: true, LastLogin: at,
		Attributes: map[string]any{"tenant": "acme", "n": json.Number("9007199254740993"), "none": nil},
	}
	tests := []struct {
		name string
		want any
		ok   bool
	}{
		{"id", "7", true},
		{"username", "ada", true},
		{"email", "", true},
		{"is_active", true, true},
		{"is_staff", false, true},
		{"is_superuser", true, true},
		{"last_login", "2024-05-06T06:08:09Z", true},
		{"tenant", "acme", true},
		{"n", json.Number("9007199254740993"), true},
		{"none", nil, true},
		{"password", nil, false},
		{"Tenant", nil, false},
		{"", nil, false},
	}
	for _, tt := range tests {
		got, ok := u.Attribute(tt.name)
		if ok != tt.ok || !cmp.Equal(got, tt.want) {
			t.Errorf("Attribute(%q) = %v, %v; want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
	if v, ok := (User{}).Attribute("last_login"); v != nil || !ok {
		t.Errorf("last_login of one who never logged in = %v, %v", v, ok)
	}
	for _, name := range own {
		if _, ok := (User{}).Attribute(name); !ok {
			t.Errorf("%s is reserved, but User does not know it", name)
		}
	}
}

func TestValidate(t *testing.T) {
	base := New{Username: "ada", Password: "s3cret-pass"}
	with := func(change func(*New)) New { n := base; change(&n); return n }
	tests := []struct {
		name string
		in   New
		ok   bool
	}{
		{"plain", base, true},
		{"inner space", with(func(n *New) { n.Username = "ada lovelace" }), true},
		{"150 wide characters", with(func(n *New) { n.Username = strings.Repeat("\U0001F600", 150) }), true},
		{"151 characters", with(func(n *New) { n.Username = strings.Repeat("a", 151) }), false},
		{"no name", with(func(n *New) { n.Username = "" }), false},
		{"name with end of line", with(func(n *New) { n.Username = "a\nb" }), false},
		{"name with NUL", with(func(n *New) { n.Username = "a\x00b" }), false},
		{"name with C1 control", with(func(n *New) { n.Username = "a\u0085b" }), false},
		{"name not UTF-8", with(func(n *New) { n.Username = "a\xff" }), false},
		{"name with space at the end", with(func(n *New) { n.Username = "ada " }), false},
		{"id", with(func(n *New) { n.ID = "3f1c-{x}" }), true},
		{"long id", with(func(n *New) { n.ID = strings.Repeat("1", 256) }), false},
		{"id with control", with(func(n *New) { n.ID = "1\t" }), false},
		{"long email", with(func(n *New) { n.Email = strings.Repeat("a", 255) }), false},
		{"no password", with(func(n *New) { n.Password = "" }), false},
		{"unusable password", with(func(n *New) { n.Password, n.NoPassword = "", true }), true},
		{"password with space at the front", with(func(n *New) { n.Password = " s3cret-pass" }), false},
		{"password with end of line", with(func(n *New) { n.Password = "s3cret-pass\n" }), false},
		{"password with NUL", with(func(n *New) { n.Password = "s3cret-pass\x00x" }), false},
		{"long password", with(func(n *New) { n.Password = strings.Repeat("s3cret-pass", 400) }), false},
		{"attributes", with(func(n *New) { n.Attributes = map[string]any{"tenant": []int{1}} }), true},
		{"attribute that is a field", with(func(n *New) { n.Attributes = map[string]any{"id": 1} }), false},
		{"attribute without a name", with(func(n *New) { n.Attributes = map[string]any{"": 1} }), false},
		{"attribute with control", with(func(n *New) { n.Attributes = map[string]any{"a\r": 1} }), false},
		{"attribute without JSON", with(func(n *New) { n.Attributes = map[string]any{"f": func() {}} }), false},
		{"large attributes", with(func(n *New) { n.Attributes = map[string]any{"a": strings.Repeat("x", maxAttributeBytes)} }), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.in.Validate()
			if tt.ok != (err == nil) || (err != nil && !errors.Is(err, ErrInvalid)) {
				t.Errorf("Validate = %v, want ok %v", err, tt.ok)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error repeats the password: %v", err)
			}
		})
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	n := New{Username: "ada", Password: "s3cret-pass"}
	rec := record{user: User{ID: "1"}, password: "$argon2id$v=19$s3cret-hash"}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "new", n, "pointer", &n, "record", rec.String())
	for _, text := range []string{
		fmt.Sprint(n), fmt.Sprintf("%+v", n), fmt.Sprintf("%#v", n), fmt.Sprintf("%s %v", n, &n),
		fmt.Sprintf("%+v", rec), fmt.Sprintf("%#v", rec), fmt.Sprint([]record{rec}), log.String(),
	} {
		if strings.Contains(text, "s3cret") {
			t.Errorf("printed: %s", text)
		}
	}
}
