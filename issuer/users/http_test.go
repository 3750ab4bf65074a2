package users

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit"
)

// backend answers what it is told and notes what it was asked.
type backend struct {
	*httptest.Server
	post, get func(w http.ResponseWriter, r *http.Request)
	asked     atomic.Int64
}

func mustBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		if r.Method == http.MethodPost {
			b.post(w, r)
			return
		}
		b.get(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func mustHTTP(t *testing.T, c HTTPConfig) *HTTP {
	t.Helper()
	d, err := NewHTTP(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestBackEndIsAsked(t *testing.T) {
	b := mustBackend(t)
	b.post = func(w http.ResponseWriter, r *http.Request) {
		var q map[string]string
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Header.Get("Authorization") != "Bearer shared" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v, headers %v", err, r.Header)
		}
		if diff := cmp.Diff(map[string]string{"username": "ada", "password": "p\"\u20ac"}, q); diff != "" {
			t.Error(diff)
		}
		says(200, `{"id": 7, "username": "Ada", "email": "a@x", "is_staff": true, "password": "pbkdf2…", "tenant": "acme",
			"attributes": {"tenant": "own", "big": 9007199254740993}, "last_login": "2024-05-06T07:08:09+01:00", "is_superuser": null}`)(w, r)
	}
	d := mustHTTP(t, HTTPConfig{URL: b.URL + "/login", Secret: "shared"})
	got, err := d.Authenticate(t.Context(), "ada", "p\"\u20ac")
	want := User{
		ID: "7", Username: "Ada", Email: "a@x", IsActive: true, IsStaff: true,
		Attributes: map[string]any{"tenant": "own", "big": json.Number("9007199254740993")}, LastLogin: time.Date(2024, 5, 6, 6, 8, 9, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAnswersOfABackEnd(t *testing.T) {
	b := mustBackend(t)
	d := mustHTTP(t, HTTPConfig{URL: b.URL})
	for _, tt := range []struct {
		status int
		body   string
		want   error
	}{
		{200, `{"sub": "u-1"}`, nil},
		{200, `{"id": "u-1", "is_active": true}`, nil},
		{200, `{"id": "u-1", "is_active": false}`, ErrCredentials},
		{200, `{"id": "u-1", "must_change_password": true}`, ErrMustChange},
		{401, `{"id": "u-1"}`, ErrCredentials},
		{403, ``, ErrCredentials},
		{404, `<html>`, ErrCredentials},
		{200, ``, ErrUnavailable},
		{200, `{}`, ErrUnavailable},
		{200, `null`, ErrUnavailable},
		{200, `[{"id": "u-1"}]`, ErrUnavailable},
		{200, `{"id": "u-1"} {}`, ErrUnavailable},
		{200, `{"id": "u-1"`, ErrUnavailable},
		{200, `{"id": true}`, ErrUnavailable},
		{200, `{"id": ""}`, ErrUnavailable},
		{200, `{"id": "a\nb"}`, ErrUnavailable},
		{200, `{"id": "u-1", "is_active": "false"}`, ErrUnavailable},
		{200, `{"id": "u-1", "email": 7}`, ErrUnavailable},
		{200, `{"id": "u-1", "attributes": {"is_staff": true}}`, ErrUnavailable},
		{200, `{"id": "u-1", "attributes": []}`, ErrUnavailable},
		{201, `{"id": "u-1"}`, ErrUnavailable},
		{204, ``, ErrUnavailable},
		{302, `{"id": "u-1"}`, ErrUnavailable},
		{400, `{}`, ErrUnavailable},
		{429, `{}`, ErrUnavailable},
		{500, `secret-pass`, ErrUnavailable},
		{200, `{"id": "u-1", "x": "` + strings.Repeat("y", maxAnswerBytes) + `"}`, ErrUnavailable},
	} {
		b.post = says(tt.status, tt.body)
		u, err := d.Authenticate(t.Context(), "ada", "secret-pass")
		if !errors.Is(err, tt.want) || errors.Is(err, ErrUnavailable) && errors.Is(err, ErrCredentials) {
			t.Errorf("%d %.60s: %v, want %v", tt.status, tt.body, err, tt.want)
		}
		if err == nil && (u.ID != "u-1" || u.Username != "ada" || !u.IsActive) {
			t.Errorf("%d %s: %+v", tt.status, tt.body, u)
		}
		if err != nil && (strings.Contains(err.Error(), "secret-pass") || strings.Contains(err.Error(), "u-1")) {
			t.Errorf("the error tells too much: %v", err)
		}
	}
	before := b.asked.Load()
	if _, err := d.Authenticate(t.Context(), "ada", strings.Repeat("x", maxPasswordBytes+1)); !errors.Is(err, ErrCredentials) || b.asked.Load() != before {
		t.Errorf("a password of megabytes = %v, asked %d times", err, b.asked.Load()-before)
	}
}

// A back end that redirects, hangs, drips, never ends or is not there: 503, and no
// password goes anywhere else.
func TestBackEndsThatMisbehave(t *testing.T) {
	elsewhere := mustBackend(t)
	elsewhere.post, elsewhere.get = says(200, `{"id": "u-1"}`), says(200, `{"id": "u-1"}`)
	stop := make(chan struct{})
	for name, post := range map[string]func(http.ResponseWriter, *http.Request){
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"hangs": func(http.ResponseWriter, *http.Request) { <-stop },
		"drips": func(w http.ResponseWriter, _ *http.Request) {
			for {
				fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(10 * time.Millisecond):
				case <-stop:
					return
				}
			}
		},
		"never ends": func(w http.ResponseWriter, _ *http.Request) {
			for chunk := strings.Repeat(" ", 64<<10); ; {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		},
		"huge headers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Much", strings.Repeat("y", 128<<10))
			says(200, `{"id": "u-1"}`)(w, r)
		},
	} {
		b := mustBackend(t) // of its own: the one before may still be answering
		b.post = post
		d := mustHTTP(t, HTTPConfig{URL: b.URL, Timeout: 300 * time.Millisecond})
		if u, err := d.Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrCredentials) {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	close(stop)
	b := mustBackend(t)
	b.post = says(200, `{"id": "u-1"}`)
	proxy := testkit.MustProxy(t, strings.TrimPrefix(b.URL, "http://"))
	for fault, begin := range map[string]func(){"frozen": proxy.Freeze, "refused": proxy.Refuse} {
		proxy.Heal()
		begin()
		d := mustHTTP(t, HTTPConfig{URL: "http://" + proxy.Addr, Timeout: 300 * time.Millisecond})
		if u, err := d.Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %+v, %v", fault, u, err)
		}
	}
	b.Close()
	d := mustHTTP(t, HTTPConfig{URL: b.URL})
	for how, ask := range map[string]func() error{
		"log-in": func() error { _, err := d.Authenticate(t.Context(), "ada", "pw"); return err },
		"by id":  func() error { _, err := d.ByID(t.Context(), "7?secret=1"); return err },
	} {
		if err := ask(); !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s without a back end = %v", how, err)
		}
	}
}
