package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestJSONOfChecks: what only says yes or no is a document too with -o json, and a no
// keeps its exit code.
func TestJSONOfChecks(t *testing.T) {
	for _, name := range []string{"TOLLGATE_ISSUER", "TOLLGATE_UPSTREAM", "TOLLGATE_ADMIN_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("TOLLGATE_OPS_LISTEN", "127.0.0.1:1")
	for command, want := range map[string]int{"validate": exitUsage, "healthcheck": exitUnreachable} {
		code, out, told := tell("", command, "-o", "json")
		var said struct {
			Valid, OK bool
			Fault     string
		}
		if err := json.Unmarshal([]byte(out), &said); err != nil || code != want || said.Valid || said.OK || said.Fault == "" || !strings.Contains(told, said.Fault) {
			t.Errorf("%s: exit %d, %v: %s%s", command, code, err, out, told)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	t.Setenv("TOLLGATE_OPS_LISTEN", server.Listener.Addr().String())
	if code, out, _ := tell("", "healthcheck", "-o", "json"); code != exitDone || !strings.Contains(out, `"ok": true`) {
		t.Errorf("exit %d, %s", code, out)
	}
	for name, value := range map[string]string{"TOLLGATE_ISSUER": testIssuer, "TOLLGATE_UPSTREAM": "http://127.0.0.1:1", "TOLLGATE_ADMIN_TOKEN": rootToken, "TOLLGATE_KEY_ENCRYPTION_KEY": testSealing, "TOLLGATE_UNHEARD_OF": "x"} {
		t.Setenv(name, value)
	}
	code, out, told := tell("", "validate", "-o", "json")
	if code != exitDone || !strings.Contains(out, `"valid": true`) || !strings.Contains(out, "TOLLGATE_UNHEARD_OF") || told != "" {
		t.Errorf("exit %d, %s%s", code, out, told)
	}
}
