package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestNameForId: whoever revokes the sessions of a name is told whose they would have
// been; the revocation stands all the same, and nothing else is said.
func TestNameForId(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.EscapedPath())
		answers := map[string]string{
			"POST /admin/v1/revocations": `{"id":"r","kind":"subject"}`, "GET /admin/v1/users/ada": `{"id":"1\u001b[2J","username":"ada"}`,
			"GET /admin/v1/users/same": `{"id":"same","username":"same"}`, "GET /admin/v1/users/a%2Fb": `{"id":"7","username":"a/b"}`,
		}
		answer, ok := answers[r.Method+" "+r.URL.EscapedPath()]
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	t.Setenv(adminTokenVariable, "0123456789abcdef")
	for line, want := range map[string]string{
		"subject ada": "tollgate revoke subject 1\ufffd[2J\n", "subject a/b": "The user named a/b has the id 7", "subject same": "", "subject 42": "",
		"subject ada --issuer https://other.example": "", "jti ada": "", "session ada": "",
	} {
		asked = nil
		code, out, told := tell("", append(append([]string{"revoke"}, strings.Fields(line)...), "--yes", "--server", server.URL)...)
		if code != exitDone || !strings.HasPrefix(out, "ID") || (want == "") != (told == "") || !strings.Contains(told, want) {
			t.Errorf("%s: exit %d, %s%s", line, code, out, told)
		}
		if asked[0] != "POST /admin/v1/revocations" {
			t.Errorf("%s: %v", line, asked)
		}
	}
}
