package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const dashed = "-91IH251tq-wDDrsGiNByekJEYQhVSmwjUJ0YQGHotw"

func TestKeyIDsLast(t *testing.T) {
	unknown := errors.New("unknown shorthand flag: '9' in " + dashed)
	for name, row := range map[string]struct {
		args string
		err  error
		want string // empty: not again
	}{
		"first":           {"keys revoke " + dashed + " --yes --server x", unknown, "keys revoke --yes --server x -- " + dashed},
		"last":            {"keys revoke --yes " + dashed, unknown, "keys revoke --yes -- " + dashed},
		"before others":   {"revoke key " + dashed + " -- a", unknown, "revoke key -- " + dashed + " a"},
		"behind already":  {"keys revoke -- " + dashed, unknown, ""},
		"another fault":   {"keys revoke " + dashed, errors.New("unknown flag: --yess"), ""},
		"no fault":        {"keys revoke " + dashed, nil, ""},
		"shorter, a flag": {"keys revoke " + dashed[:42], unknown, ""},
	} {
		got, ok := keyIDsLast(strings.Fields(row.args), row.err)
		if ok != (row.want != "") || ok && strings.Join(got, " ") != row.want {
			t.Errorf("%s: %q, %t", name, got, ok)
		}
	}
}

// TestDashedKeyID: such an id gets to the command; other values that begin with a hyphen
// are told where they go.
func TestDashedKeyID(t *testing.T) {
	t.Setenv("TOLLGATE_ADMIN_TOKEN", "not-a-real-token-but-long-enough-0123456789")
	var out, errOut bytes.Buffer
	if code := run([]string{"keys", "revoke", dashed, "--yes", "--server", "http://127.0.0.1:1"}, strings.NewReader(""), &out, &errOut); code != exitUnreachable {
		t.Errorf("exit %d: %s", code, errOut.String())
	}
	errOut.Reset()
	if code := run([]string{"revoke", "subject", "-anna"}, strings.NewReader(""), &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), "goes behind a --") {
		t.Errorf("exit %d: %s", code, errOut.String())
	}
}
