package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var formText = regexp.MustCompile(`<form[^>]* method="post" action="([^"]+)"`)

// TestPagesByRole: a role sees no control that it could not use, and a page that is
// all control is refused.
func TestPagesByRole(t *testing.T) {
	everybody := []string{"/logout"}
	operator := append(everybody, "/check", "/revocations", "/revocations/r-word/undo", "/sessions/confirm", "/sessions/everywhere", "/users", "/users/disable")
	for role, want := range map[string][]string{
		"viewer": everybody, "operator": operator, "nonsense": everybody,
		"admin": append(slices.Clone(operator), "/keys/kid-word/revoke", "/keys/rotate", "/routes/reload", "/admin-tokens", "/admin-tokens/t-word/revoke"),
	} {
		b := open(t, "word")
		b.api.role = role
		b.login()
		seen := map[string]bool{}
		for _, target := range pages("word") {
			w := b.send("GET", target, nil)
			page := w.Body.String()
			hidden := strings.HasPrefix(target, "/check") && len(want) == 1 || strings.Contains(target, "/everywhere") && len(want) == 1 ||
				(strings.HasSuffix(target, "/revoke") || strings.HasPrefix(target, "/admin-tokens")) && role != "admin"
			if status := w.Code; hidden != (status == http.StatusForbidden) || !hidden && status != http.StatusOK {
				t.Errorf("%s: %s: %d", role, target, status)
			}
			if hidden && !strings.Contains(page, "you are logged in with the role "+role) {
				t.Errorf("%s: %s: %s", role, target, page)
			}
			for _, m := range formText.FindAllStringSubmatch(page, -1) {
				seen[m[1]] = true
			}
			if role == "viewer" && (strings.Contains(page, `href="/check"`) || strings.Contains(page, "Revoke…") || strings.Contains(page, `type="checkbox"`)) {
				t.Errorf("%s: a viewer is shown a control", target)
			}
			if strings.Count(page, "<form") != strings.Count(page, "</form>") || strings.Count(page, "<div") != strings.Count(page, "</div>") {
				t.Errorf("%s: %s: tags do not match", role, target)
			}
		}
		for _, action := range want {
			if !seen[action] {
				t.Errorf("%s: there is no form %s in %v", role, action, seen)
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%s sees %v", role, seen)
		}
	}
}

// TestLoginUnsure: what nobody can say is no log-in, and is told as what it is.
func TestLoginUnsure(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusForbidden} {
		b := open(t, "said by the API")
		b.api.whoami = status
		w := b.send("POST", "/login", url.Values{"token": {token}})
		if w.Code != status || b.cookie != nil || !strings.Contains(w.Body.String(), "said by the API") || strings.Contains(w.Body.String(), token) {
			t.Errorf("%d: %d %s", status, w.Code, w.Body)
		}
	}
}

// TestAuditFilter: what is asked for goes on to the API, the next page and the twin.
func TestAuditFilter(t *testing.T) {
	b := open(t, "word")
	b.login()
	page := b.get("/audit?actor=a&action=session&target=s&outcome=refused")
	if asked := b.api.asked[len(b.api.asked)-1]; asked != "GET /admin/v1/audit?action=session&actor=a&outcome=refused&target=s" {
		t.Errorf("asked %s", asked)
	}
	for _, want := range []string{"tollgate audit --actor a --action session --target s --outcome refused", "application/x-ndjson", `<option selected>refused</option>`, "cursor=cursor&amp;outcome=refused"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
}
