package admin_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/users"
)

// opened returns a kit with the users alice (id 1) and bob (id 2).
func opened(t *testing.T, o issuerkit.Options) *issuerkit.Kit {
	t.Helper()
	k := issuerkit.MustOpen(t, o)
	k.MustUser(t, users.New{Username: "alice"})
	k.MustUser(t, users.New{Username: "bob"})
	return k
}

// wantProblem checks a refusal whole: RFC 9457, the code, and nobody may keep it.
func wantProblem(t *testing.T, a issuerkit.Answer, status int, code string) {
	t.Helper()
	var d struct {
		Type, Title, Detail, Code string
		Status                    int
	}
	if err := json.Unmarshal([]byte(a.Body), &d); err != nil {
		t.Fatalf("%d %q: %v", a.Status, a.Body, err)
	}
	h := a.Header
	if a.Status != status || d.Status != status || d.Code != code || d.Type != "urn:tollgate:problem:"+code || d.Title == "" {
		t.Errorf("%d %s, want %d %s", a.Status, a.Body, status, code)
	}
	if h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	if (h.Get("Www-Authenticate") != "") != (status == http.StatusUnauthorized) || (h.Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
		t.Errorf("status %d with the headers %v", status, h)
	}
	if strings.Contains(a.Body, issuerkit.Password) || strings.Contains(a.Body, "127.0.0.1") || strings.Contains(a.Body, "admin.") || strings.Contains(a.Body, "interface") {
		t.Errorf("the body tells too much: %s", a.Body)
	}
}

// wantDone checks an answer that is no refusal, and the form of every time in it.
func wantDone(t *testing.T, a issuerkit.Answer, status int) map[string]any {
	t.Helper()
	a.Must(t, status)
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.Header)
	}
	if strings.Contains(a.Body, `"d"`) || strings.Contains(a.Body, "rivate") || strings.Contains(strings.NewReplacer("must_change_password", "", "password hash:", "").Replace(a.Body), "assword") || strings.Contains(a.Body, "argon2") {
		t.Errorf("a secret: %s", a.Body)
	}
	body := a.Map(t)
	wantTimes(t, body)
	return body
}

// wantTimes: times are RFC 3339 in UTC.
func wantTimes(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			wantTimes(t, each)
		}
	case map[string]any:
		for name, each := range v {
			text, isText := each.(string)
			if isText && (strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "_login") || name == "signs_from" || name == "signs_until" || name == "published_until") {
				if _, err := time.Parse(time.RFC3339Nano, text); err != nil || !strings.HasSuffix(text, "Z") {
					t.Errorf("%s is %q", name, text)
				}
			}
			wantTimes(t, each)
		}
	}
}

func items(t *testing.T, body map[string]any) []map[string]any {
	t.Helper()
	list, ok := body["items"].([]any)
	if _, next := body["next"].(string); !ok || !next {
		t.Fatalf("no list: %v", body)
	}
	out := make([]map[string]any, len(list))
	for i := range list {
		out[i] = list[i].(map[string]any)
	}
	return out
}

// after parses a time of an answer and returns how long after from it is.
func after(t *testing.T, v any, from time.Time) time.Duration {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatalf("%v is no time", v)
	}
	return at.Sub(from)
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// encoded is a body; nil is none.
func encoded(t *testing.T, body map[string]any) string {
	t.Helper()
	if body == nil {
		return ""
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
