package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the built binary as its users do: each script in testdata is
// one story. Beside testscript's own commands they have:
//
//	start [NAME=VALUE…]          start the system on a real redis-server
//	user NAME PASSWORD           add a user through the command line
//	http METHOD URL [NAME:VALUE…] [BODY]   make a request; the answer is on stdout
//	until STATUS METHOD URL …     make a request again and again until it has this status
//	keep NAME MEMBER             set NAME to a member of the last answer's JSON
//	claim NAME TOKEN CLAIM       set NAME to a claim of a token
//	file-between FILE LOW HIGH   compare the number in a file
//	exits CODE ARGS…             run tollgate and want an exit code
//	seen [NAME VALUE]            the header that the back end saw last; "-": none
func TestScripts(t *testing.T) {
	bin := mustBinary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(bin)+":"+env.Getenv("PATH"))
			env.Values["t"] = env.T().(testing.TB)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": scriptStart, "user": scriptUser, "http": scriptHTTP, "until": scriptUntil, "keep": scriptKeep, "claim": scriptClaim,
			"file-between": scriptBetween, "exits": scriptExits, "seen": scriptSeen,
		},
	})
}

func scriptStart(ts *testscript.TestScript, _ bool, settings []string) {
	s := mustSystem(ts.Value("t").(testing.TB), settings...)
	*scriptSystem(ts) = s
	_, port, _ := strings.Cut(s.Redis.Addr, ":")
	for name, value := range map[string]string{
		"PUBLIC": s.Public, "ADMIN": s.Admin, "OPS": s.Ops, "TOLLGATE_OPS_LISTEN": strings.TrimPrefix(s.Ops, "http://"), "REDIS_PORT": port, "TOLLGATE_ADMIN_TOKEN": rootToken, "ROOT": "Authorization:Bearer " + rootToken,
		// For commands that work on the key store itself.
		"TOLLGATE_REDIS_URL": s.Redis.URL, "TOLLGATE_ISSUER": testIssuer, "TOLLGATE_KEY_ENCRYPTION_KEY": testSealing,
	} {
		ts.Setenv(name, value)
	}
}

var (
	scriptSystemsMu sync.Mutex
	scriptSystems   = map[*testscript.TestScript]**system{}
)

// scriptSystem is where a script's system is kept between its commands.
func scriptSystem(ts *testscript.TestScript) **system {
	scriptSystemsMu.Lock()
	defer scriptSystemsMu.Unlock()
	if scriptSystems[ts] == nil {
		scriptSystems[ts] = new(*system)
	}
	return scriptSystems[ts]
}

func scriptUser(ts *testscript.TestScript, _ bool, args []string) {
	path, err := binary()
	ts.Check(err)
	cmd := exec.Command(path, "users", "add", args[0], "--password-stdin", "--server", ts.Getenv("ADMIN"))
	cmd.Env = []string{"TOLLGATE_ADMIN_TOKEN=" + rootToken}
	cmd.Stdin = strings.NewReader(args[1] + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("users add: %v\n%s", err, out)
	}
}

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	_, err := ts.Stdout().Write([]byte(scriptAnswer(ts, args)))
	ts.Check(err)
}

// scriptAnswer makes a request and returns status, challenge and body.
func scriptAnswer(ts *testscript.TestScript, args []string) string {
	s := *scriptSystem(ts)
	var headers []string
	var body any
	for _, arg := range args[2:] {
		name, value, found := strings.Cut(arg, ":")
		if found && !strings.HasPrefix(arg, "{") {
			headers = append(headers, name, value)
			continue
		}
		body = arg
		headers = append(headers, "Content-Type", "application/json")
	}
	r, err := s.send(args[0], args[1], body, headers...)
	ts.Check(err)
	return strconv.Itoa(r.Status) + "\n" + "WWW-Authenticate: " + r.Header.Get("WWW-Authenticate") + "\n" + r.Body + "\n"
}

func scriptUntil(ts *testscript.TestScript, _ bool, args []string) {
	answer := ""
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if answer = scriptAnswer(ts, args[1:]); strings.HasPrefix(answer, args[0]+"\n") {
			return
		}
	}
	ts.Fatalf("never %s: %s", args[0], answer)
}

func scriptKeep(ts *testscript.TestScript, _ bool, args []string) {
	answer := ts.ReadFile("stdout")
	var m map[string]any
	if err := json.Unmarshal([]byte(answer[strings.IndexByte(answer, '{'):]), &m); err != nil {
		ts.Fatalf("the last answer is not JSON: %v\n%s", err, answer)
	}
	text, ok := m[args[1]].(string)
	if !ok {
		ts.Fatalf("no text %q in %s", args[1], answer)
	}
	ts.Setenv(args[0], text)
}

func scriptClaim(ts *testscript.TestScript, _ bool, args []string) {
	switch v := claimsOf(ts.Value("t").(testing.TB), args[1])[args[2]].(type) {
	case string:
		ts.Setenv(args[0], v)
	case float64:
		ts.Setenv(args[0], strconv.FormatFloat(v, 'f', -1, 64))
	default:
		ts.Fatalf("claim %s is %v", args[2], v)
	}
}

func scriptBetween(ts *testscript.TestScript, _ bool, args []string) {
	args[0] = ts.ReadFile(args[0])
	var n [3]float64
	for i := range n {
		var err error
		n[i], err = strconv.ParseFloat(strings.TrimSpace(args[i]), 64)
		ts.Check(err)
	}
	if n[0] < n[1] || n[0] > n[2] {
		ts.Fatalf("%v is not between %v and %v", n[0], n[1], n[2])
	}
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("tollgate", args[1:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func scriptSeen(ts *testscript.TestScript, _ bool, args []string) {
	all := (*scriptSystem(ts)).requests()
	if len(all) == 0 {
		ts.Fatalf("nothing reached the back end")
	}
	got := all[len(all)-1].Header.Values(args[0])
	if want := args[1]; want == "-" && len(got) != 0 || want != "-" && (len(got) != 1 || got[0] != want) {
		ts.Fatalf("the back end saw %s: %q, want %q", args[0], got, want)
	}
}
