package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/internal/problem"
)

// TestExitCodes: each promised code, by the whole program against a running system.
func TestExitCodes(t *testing.T) {
	s := mustSystem(t)
	s.mustAddUser(ada, adaPassword)
	good := s.mustLogin(ada, adaPassword).Access
	const anywhere = "" // --server is that of the system
	for name, row := range map[string]struct {
		token, server, stdin string
		args                 string
		want                 int
	}{
		"done":                       {rootToken, anywhere, "", "keys list", exitDone},
		"a token that is valid":      {rootToken, anywhere, good, "token verify -", exitDone},
		"a token that is not":        {rootToken, anywhere, good + "x", "token verify -", exitRefused},
		"not possible now":           {rootToken, anywhere, "", "keys rotate --yes", exitRefused},
		"there already":              {rootToken, anywhere, adaPassword, "users add ada --password-stdin", exitRefused},
		"no token to inspect":        {rootToken, anywhere, "x", "token inspect -", exitRefused},
		"an unknown command":         {rootToken, anywhere, "", "nonsense", exitUsage},
		"an unknown flag":            {rootToken, anywhere, "", "keys list --nonsense", exitUsage},
		"a missing argument":         {rootToken, anywhere, "", "keys revoke", exitUsage},
		"a group alone":              {rootToken, anywhere, "", "keys", exitUsage},
		"an unknown format":          {rootToken, anywhere, "", "keys list -o yaml", exitUsage},
		"nobody says yes":            {rootToken, anywhere, "", "revoke all", exitUsage},
		"what the server finds odd":  {rootToken, anywhere, "", "revoke jti x --wait 31s --yes", exitUsage},
		"a token as an argument":     {rootToken, anywhere, "", "token verify x", exitUsage},
		"no server there":            {rootToken, "http://127.0.0.1:1", "", "keys list", exitUnreachable},
		"no URL of a server":         {rootToken, "nonsense", "", "keys list", exitUsage},
		"another token":              {"another-token-of-nobody", anywhere, "", "keys list", exitUnauthorised},
		"no token":                   {"", anywhere, "", "keys list", exitUnauthorised},
		"a session that is not":      {rootToken, anywhere, "", "sessions show x", exitNotFound},
		"a revocation that is not":   {rootToken, anywhere, "", "unrevoke x", exitNotFound},
		"a user that is not":         {rootToken, anywhere, "", "users disable nobody --yes", exitNotFound},
		"a client that is not":       {rootToken, anywhere, "", "clients revoke nobody --yes", exitNotFound},
		"a key that is not":          {rootToken, anywhere, "", "keys revoke nobody --yes", exitNotFound},
		"health without the answers": {rootToken, anywhere, "", "healthcheck", exitUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TOLLGATE_ADMIN_TOKEN", row.token)
			t.Setenv("TOLLGATE_OPS_LISTEN", "127.0.0.1:1")
			if row.server == anywhere {
				row.server = s.Admin
			}
			code, out, errOut := tell(row.stdin, append(strings.Fields(row.args), "--server", row.server)...)
			if code != row.want {
				t.Errorf("exit %d, want %d\n%s%s", code, row.want, out, errOut)
			}
			if code != exitDone && (!strings.Contains(errOut, "tollgate: ") || strings.Contains(errOut, rootToken) || strings.Contains(out+errOut, good)) {
				t.Errorf("it says %q", errOut)
			}
		})
	}
}

// TestExitCodesOfAnswers: what each status of the admin API comes to.
func TestExitCodesOfAnswers(t *testing.T) {
	t.Setenv("TOLLGATE_ADMIN_TOKEN", rootToken)
	for status, want := range map[int]int{
		400: exitUsage, 401: exitUnauthorised, 403: exitUnauthorised, 404: exitNotFound, 405: exitRefused, 408: exitRefused, 409: exitRefused, 413: exitRefused,
		422: exitUsage, 500: exitRefused, 502: exitUnreachable, 503: exitUnreachable, 504: exitUnreachable, 302: exitRefused,
	} {
		for _, described := range []bool{true, false} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if described && status >= 400 {
					problem.Write(w, problem.Details{Status: status, Detail: "the reason of the server"})
					return
				}
				w.WriteHeader(status)
			}))
			code, out, errOut := tell("", "edges", "--server", server.URL)
			server.Close()
			if code != want || out != "" || described && status >= 400 && !strings.Contains(errOut, "the reason of the server") {
				t.Errorf("%d: exit %d, want %d\n%s%s", status, code, want, out, errOut)
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("<p>"), 100)) }))
	defer server.Close()
	if code, _, _ := tell("", "edges", "--server", server.URL); code != exitRefused {
		t.Errorf("a page of somebody else's: exit %d", code)
	}
}
