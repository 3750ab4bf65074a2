//go:build browser

package console

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var (
	binary = flag.String("binary", "../../../bin/tollgate", "the program under test")
	shots  = flag.String("shots", "", "directory for screenshots of every page; empty: none are made")
)

// system is a running `tollgate dev`.
type system struct {
	Public, Admin, Token, Password string
}

// mustStart runs the program on free ports of loopback until the test ends.
func mustStart(t *testing.T) *system {
	t.Helper()
	cmd := exec.Command(*binary, "dev")
	for _, name := range []string{"LISTEN", "ADMIN_LISTEN", "OPS_LISTEN"} {
		cmd.Env = append(cmd.Env, "TOLLGATE_"+name+"=127.0.0.1:0")
	}
	cmd.Env = append(cmd.Env, "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_ISSUER=http://id.localhost", "TOLLGATE_LOG_LEVEL=error")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: build it first, or name it by -binary", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	s := &system{}
	take := func(into *string, pattern, line string) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
			*into = m[1]
		}
	}
	lines := bufio.NewScanner(out)
	for s.Password == "" && lines.Scan() {
		take(&s.Public, `gateway and issuer\s+(\S+)`, lines.Text())
		take(&s.Admin, `admin API\s+(\S+)`, lines.Text())
		take(&s.Token, `\(token (\S+)\)`, lines.Text())
		take(&s.Password, `^  user demo, password (\S+)`, lines.Text())
	}
	if s.Password == "" {
		t.Fatalf("the program did not say where it is: %v", lines.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return s
}

// mustLogin returns an access token of the demo user.
func (s *system) mustLogin(t *testing.T) string {
	t.Helper()
	r, err := http.PostForm(s.Public+"/api/token/", url.Values{"username": {"demo"}, "password": {s.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var body struct{ Access string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Access == "" {
		t.Fatalf("log in: %d %v", r.StatusCode, err)
	}
	return body.Access
}

// status is what a client with the token is answered.
func (s *system) status(t *testing.T, access string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.Public+"/hello", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	return a.StatusCode
}

// api asks the admin API.
func (s *system) api(t *testing.T, method, path, body string) int {
	t.Helper()
	r, err := http.NewRequest(method, s.Admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	return a.StatusCode
}
