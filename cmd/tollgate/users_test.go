package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// The users of an existing back end: who logs in is asked there, and a refresh
// carries what the back end says then. Away is 503, and nobody is logged out by it.
func TestUsersOfABackEnd(t *testing.T) {
	var active, away atomic.Bool
	active.Store(true)
	var tenant atomic.Value
	tenant.Store("acme")
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]string
		switch {
		case away.Load():
			w.WriteHeader(http.StatusBadGateway)
			return
		case r.Header.Get("Authorization") != "Bearer shared-secret":
			w.WriteHeader(http.StatusInternalServerError)
			return
		case r.Method == http.MethodPost && (json.NewDecoder(r.Body).Decode(&q) != nil || q["username"] != "ada" || q["password"] != "pw"):
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"id": 7, "username": "ada", "tenant": %q, "is_active": %v}`, tenant.Load(), active.Load())
	}))
	t.Cleanup(back.Close)
	s := mustSystem(t, "TOLLGATE_USERS="+back.URL+"/login", "TOLLGATE_USERS_SECRET=shared-secret", "TOLLGATE_CLAIMS=tenant=tenant")
	p := s.mustLogin("ada", "pw")
	if claims := claimsOf(t, p.Access); claims["sub"] != "7" || claims["tenant"] != "acme" {
		t.Errorf("%v", claims)
	}
	s.wantCall(p.Access, 200, "")
	post := func(path string, body map[string]string) reply {
		t.Helper()
		return s.mustSend("POST", s.Public+path, body)
	}
	if r := post("/api/token/", map[string]string{"username": "ada", "password": "no"}); r.Status != 401 {
		t.Errorf("a wrong password: %d %s", r.Status, r.Body)
	}
	tenant.Store("other")
	refreshed := post("/api/token/refresh/", map[string]string{"refresh": p.Refresh})
	var next pair
	if err := json.Unmarshal([]byte(refreshed.Body), &next); err != nil || refreshed.Status != 200 {
		t.Fatalf("%d %s", refreshed.Status, refreshed.Body)
	}
	if got := claimsOf(t, next.Access)["tenant"]; got != "other" {
		t.Errorf("after the refresh the tenant is %v", got)
	}
	away.Store(true)
	for path, body := range map[string]map[string]string{
		"/api/token/": {"username": "ada", "password": "pw"}, "/api/token/refresh/": {"refresh": next.Refresh},
	} {
		if r := post(path, body); r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s without the back end: %d %s", path, r.Status, r.Body)
		}
	}
	away.Store(false)
	active.Store(false)
	if r := post("/api/token/refresh/", map[string]string{"refresh": next.Refresh}); r.Status != 401 {
		t.Errorf("a user who is not active: %d %s", r.Status, r.Body)
	}
}

// What TOLLGATE_USERS makes of the other settings.
func TestUsersSettings(t *testing.T) {
	users := mustWrite(t, "ada:$2y$04$abcdefghijklmnopqrstuujI2VRA3XYFsSEZ31xQVM5jA7DqI8ZZ2\n")
	bad := mustWrite(t, "ada:hunter2\nbob:hunter2\n")
	open := mustWrite(t, "")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]string{"users": users, "bad": bad} {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(name, err)
		}
	}
	for name, tt := range map[string]struct {
		env     map[string]string
		fault   string
		warning string
	}{
		"file":           {map[string]string{"USERS": "file:" + users}, "", ""},
		"bad file":       {map[string]string{"USERS": "file:" + bad}, "line 2", ""},
		"open file":      {map[string]string{"USERS": "file:" + open}, "", "everybody on this machine can read"},
		"https":          {map[string]string{"USERS": "https://users.example/login", "USERS_SECRET": "x"}, "", ""},
		"loopback":       {map[string]string{"USERS": "http://127.0.0.1:8000/login"}, "", ""},
		"localhost":      {map[string]string{"USERS": "http://LOCALHOST:8000/login"}, "", ""},
		"http":           {map[string]string{"USERS": "http://10.0.0.1/login"}, "", "passwords cross the network unencrypted"},
		"CA with http":   {map[string]string{"USERS": "http://127.0.0.1/", "USERS_CA_FILE": users}, "TOLLGATE_USERS_CA_FILE is set but TOLLGATE_USERS does not ask for TLS", ""},
		"no CA":          {map[string]string{"USERS": "https://h/", "USERS_CA_FILE": users}, "TOLLGATE_USERS_CA_FILE cannot be used", ""},
		"no key":         {map[string]string{"USERS": "https://h/", "USERS_CERT_FILE": users}, "TOLLGATE_USERS_CERT_FILE cannot be used", ""},
		"secret":         {map[string]string{"USERS": "https://h/", "USERS_SECRET": "two words"}, "TOLLGATE_USERS_SECRET has a blank", ""},
		"key of Redis":   {map[string]string{"USERS_KEY_FILE": users}, "TOLLGATE_USERS_KEY_FILE is set but", ""},
		"last log-in":    {map[string]string{"USERS": "https://h/", "UPDATE_LAST_LOGIN": "true"}, "", "TOLLGATE_UPDATE_LAST_LOGIN does nothing"},
		"not the issuer": {map[string]string{"USERS": "file:" + bad, "ENABLE_ISSUER": "false", "TRUSTED_ISSUERS_FILE": users}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for variable, value := range tt.env {
				env["TOLLGATE_"+variable] = value
			}
			setEnv(t, with(env))
			c, err := loadConfig(nil)
			if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("fault %v, want %q", err, tt.fault)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret: %v", err)
			}
			if all := strings.Join(c.Warnings, "\n"); tt.warning == "" && all != "" || !strings.Contains(all, tt.warning) {
				t.Errorf("warnings %q, want %q", all, tt.warning)
			}
		})
	}
}

func TestReadDump(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		users int
		fault string
	}{
		"empty array":     {"[]", 0, ""},
		"nothing":         {" \n", 0, ""},
		"lines":           {"{\"username\": \"a\"}\n\n{\"username\": \"b\"}", 2, ""},
		"byte order mark": {"\ufeff[{\"username\": \"a\"}]", 1, ""},
		"unknown member":  {"[{\"username\": \"a\"},\n\n {\"username\": \"b\", \"passwort\": 1}]", 1, `line 3: the member "passwort" is not known`},
		"no object":       {"[1]", 0, "line 1: not a JSON object"},
		"cut off":         {"[{\"username\": \"a\"}", 1, "the file is cut off"},
		"not JSON":        {"username,password\n", 0, "line 1: this is not JSON"},
		"same name":       {"{\"username\": \"a\"}\n{\"username\": \"a\"}", 2, `line 2: the username "a" stands at line 1 already`},
		"bad time":        {`{"model": "auth.user", "pk": 1, "fields": {"username": "a", "last_login": "yesterday"}}`, 0, "last_login is not a time"},
		"naive time":      {`{"model": "auth.user", "pk": 1, "fields": {"username": "a", "last_login": "2024-05-06T07:08:09.5"}}`, 1, ""},
		"own attribute":   {`{"username": "a", "attributes": {"email": "x"}}`, 0, `attribute name "email" is reserved`},
		"e-mail alone":    {`{"model": "auth.user", "pk": 1, "fields": {"email": "a@x"}}`, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := readDump([]byte(tt.text), "auth.user")
			all := strings.Join(d.faults, "\n")
			if len(d.users) != tt.users && tt.fault == "" || tt.fault == "" && all != "" || !strings.Contains(all, tt.fault) {
				t.Errorf("%d users, faults %q; want %d, %q", len(d.users), all, tt.users, tt.fault)
			}
		})
	}
	d := readDump([]byte("{\"username\": \"a\", \"email\": \"X@y\"}\n{\"username\": \"b\", \"email\": \"x@Y\"}\n{\"username\": \"c\"}\n{\"username\": \"d\"}"), "auth.user")
	if shared := d.sharedEmails(); len(shared) != 1 || !strings.Contains(shared[0], "line 2") {
		t.Errorf("shared addresses: %q", shared)
	}
}

// Batches stay within what the admin API takes, and nobody is left out.
func TestNextBatch(t *testing.T) {
	var rest []importUser
	for i := range 450 {
		u := importUser{Username: fmt.Sprint("user-", i)}
		if i >= 400 {
			u.Attributes = map[string]any{"x": strings.Repeat("y", 60<<10)}
		}
		rest = append(rest, u)
	}
	total := 0
	for len(rest) > 0 {
		batch := nextBatch(rest)
		text, err := json.Marshal(batch)
		if err != nil || len(batch) == 0 || len(batch) > 200 || len(text) > 1<<20-1024 {
			t.Fatalf("%d users of %d bytes, %v", len(batch), len(text), err)
		}
		total += len(batch)
		rest = rest[len(batch):]
	}
	if total != 450 {
		t.Errorf("%d users", total)
	}
}

func TestImportTellsOfItsProgress(t *testing.T) {
	var told strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Users  []importUser
			DryRun bool `json:"dry_run"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		if !q.DryRun && q.Users[0].Username != "user-0" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"created": %d, "refused": []}`, len(q.Users))
	}))
	t.Cleanup(server.Close)
	var lines strings.Builder
	for i := range 450 {
		fmt.Fprintf(&lines, "{\"username\": \"user-%d\"}\n", i)
	}
	c := &cli{out: io.Discard, err: &told, output: "table"}
	i := &userImport{cli: c, admin: &adminClient{base: server.URL, http: server.Client()}, dump: readDump([]byte(lines.String()), "auth.user")}
	err := i.run(t.Context(), "auth.user", false)
	if codeOf(err) != exitUnreachable || !strings.Contains(told.String(), "200 of 450 users were written") {
		t.Errorf("%v, told %q", err, told.String())
	}
}
