package users

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit"
)

// A refresh reads the user anew where the back end gives users by id, and takes
// those of the last log-in where it does not.
func TestUserOfABackEndByID(t *testing.T) {
	onEach(t, func(t *testing.T, rb box) {
		b := mustBackend(t)
		b.post = says(200, `{"id": 7, "tenant": "acme", "big": 9007199254740993, "is_staff": true}`)
		kept := func() *Kept { return NewKept(rb.client, prefix, time.Hour) }
		d := mustHTTP(t, HTTPConfig{URL: b.URL, Kept: kept()})
		b.get = says(405, "")
		if _, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrNotFound) {
			t.Errorf("before any log-in = %v", err)
		}
		want, err := d.Authenticate(t.Context(), "ada", "secret-pass")
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range []int{404, 405, 501} {
			b.get = says(status, "")
			got, err := d.ByID(t.Context(), "7")
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%d: %v (-want +got):\n%s", status, err, diff)
			}
		}
		for _, status := range []int{200, 302, 400, 401, 403, 429, 500, 503} {
			b.get = says(status, `{"id": "8"}`)
			if u, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%d: %+v, %v", status, u, err)
			}
		}
		b.get = says(410, "")
		if _, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrNotFound) {
			t.Errorf("gone = %v", err)
		}
		b.get = func(w http.ResponseWriter, r *http.Request) {
			id, err := json.Marshal(r.URL.Query().Get("id"))
			if err != nil {
				t.Error(err)
			}
			says(200, `{"id": `+string(id)+`, "tenant": "new", "is_active": false}`)(w, r)
		}
		for _, id := range []string{"7", "a&b=c d/é"} {
			if u, err := d.ByID(t.Context(), id); err != nil || u.ID != id || u.IsActive || u.Attributes["tenant"] != "new" {
				t.Errorf("%q = %+v, %v", id, u, err)
			}
		}
		// It gives users by id: whom it does not give is gone, also for another process.
		b.get = says(404, "")
		for _, d := range []*HTTP{d, mustHTTP(t, HTTPConfig{URL: b.URL, Kept: kept()})} {
			if u, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrNotFound) {
				t.Errorf("404 of one that gives users = %+v, %v", u, err)
			}
		}
		for _, key := range mustKeys(t, rb.client) {
			if ttl := rb.client.TTL(t.Context(), key).Val(); (ttl == -1) != (key == kept().names.byID(b.URL)) {
				t.Errorf("%s has TTL %v", key, ttl)
			}
		}
	})
}

func TestKeptIsUnavailableWithoutRedis(t *testing.T) {
	b := mustBackend(t)
	b.post, b.get = says(200, `{"id": 7}`), says(404, "")
	server := testkit.MustStartRedis(t)
	d := mustHTTP(t, HTTPConfig{URL: b.URL, Kept: NewKept(testkit.MustClient(t, server.Addr), prefix, time.Hour)})
	server.MustKill()
	if _, err := d.Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("log-in = %v", err)
	}
	for _, status := range []int{404, 405} {
		b.get = says(status, "")
		if _, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotFound) {
			t.Errorf("%d = %v", status, err)
		}
	}
	b.get = says(200, `{"id": 7}`)
	if _, err := d.ByID(t.Context(), "7"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("200 that cannot be noted = %v", err)
	}
}
