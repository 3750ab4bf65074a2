package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAdminTokenIsShownOnce: in the answer to the form, and on no page after it.
func TestAdminTokenIsShownOnce(t *testing.T) {
	b := open(t, "word")
	b.login()
	w := b.send("POST", "/admin-tokens", url.Values{"name": {"on call"}, "role": {"operator"}, "life": {"24h"}})
	if w.Code != http.StatusCreated || strings.Count(w.Body.String(), "tga_shown-once") != 1 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, want := range []string{
		"tollgate admin-tokens create &#39;on call&#39; --role operator --expires 24h", `<label for="token">`,
		`<textarea id="token" class="mono" readonly`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in %s", want, w.Body)
		}
	}
	if got := b.api.bodies[len(b.api.bodies)-2]; got != `{"expires_at":"2026-11-23T12:30:00Z","name":"on call","role":"operator"}` {
		t.Errorf("sent %s", got)
	}
	for _, target := range pages("word") {
		if strings.Contains(b.get(target), "shown-once") {
			t.Errorf("%s shows it again", target)
		}
	}
	if b.send("POST", "/admin-tokens", url.Values{"name": {"x"}, "role": {"viewer"}, "life": {""}}); b.api.bodies[len(b.api.bodies)-2] != `{"name":"x","role":"viewer"}` {
		t.Errorf("sent %s", b.api.bodies[len(b.api.bodies)-2])
	}
}

// TestAdminTokenForms: what the API refuses, a life that is none, and a revocation, are
// told on the list.
func TestAdminTokenForms(t *testing.T) {
	b := open(t, "word")
	b.login()
	for _, life := range []string{"x", "-1h", "0s"} {
		asked := len(b.api.asked)
		if w := b.send("POST", "/admin-tokens", url.Values{"name": {"x"}, "role": {"viewer"}, "life": {life}}); w.Code != http.StatusSeeOther || len(b.api.asked) != asked {
			t.Errorf("%s: %d", life, w.Code)
		}
		if page := b.get("/admin-tokens"); !strings.Contains(page, "How long is one of the list.") {
			t.Errorf("%s: %s", life, page)
		}
	}
	if page := b.get("/admin-tokens/t-word/revoke"); !strings.Contains(page, "tollgate admin-tokens revoke t-word --yes") || !strings.Contains(page, "-X DELETE") {
		t.Errorf("%s", page)
	}
	if w := b.send("GET", "/admin-tokens/strange/revoke", nil); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.send("POST", "/admin-tokens/t-word/revoke", url.Values{})
	if asked := b.api.asked[len(b.api.asked)-1]; asked != "DELETE /admin/v1/admin-tokens/t-word" {
		t.Errorf("asked %s", asked)
	}
	if page := b.get("/admin-tokens"); !strings.Contains(page, "The admin token word is refused from now on") {
		t.Errorf("%s", page)
	}
	b.api.status, b.api.code = http.StatusForbidden, "role"
	if w := b.send("POST", "/admin-tokens", url.Values{"name": {"x"}, "role": {"admin"}}); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	b.api.status = 0
	if page := b.get("/admin-tokens"); !strings.Contains(page, `<p class="note bad" role="alert">word</p>`) {
		t.Errorf("%s", page)
	}
}
