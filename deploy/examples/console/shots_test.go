//go:build browser

package console

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// pages are all that can be looked at without changing anything, by the name of the
// picture.
func (b *browser) pages() map[string]string {
	b.t.Helper()
	out := map[string]string{
		"overview": "/", "sessions-empty": "/sessions", "sessions": "/sessions?q=demo", "everywhere": "/sessions/everywhere?subject=1",
		"revocations": "/revocations", "check": "/check", "keys": "/keys", "routes": "/routes?method=GET&url=%2Fhello", "users": "/users",
		"admin-tokens": "/admin-tokens", "audit": "/audit", "settings": "/settings",
	}
	for name, list := range map[string]string{"session": "/sessions?q=demo", "revocation": "/revocations", "key-revoke": "/keys", "admin-token-revoke": "/admin-tokens"} {
		b.open(list)
		out[name] = b.attribute("td a", "href")
	}
	return out
}

// fill gives the pages something to show, and returns an access token.
func (s *system) fill(t *testing.T) string {
	t.Helper()
	access := s.mustLogin(t)
	for range 3 {
		s.mustLogin(t)
	}
	for range 30 {
		s.status(t, access)
	}
	for _, bad := range []string{access[:len(access)-4] + "AAAA", "nonsense", "", ""} {
		s.status(t, bad)
	}
	s.api(t, "POST", "/admin/v1/revocations", `{"kind":"jti","value":"8d1f6c27a0b94e3f9d5b6f1e2c3a4b5d","reason":"lost laptop"}`)
	s.api(t, "POST", "/admin/v1/revocations", `{"kind":"subject","value":"4711","reason":"left the company"}`)
	s.api(t, "POST", "/admin/v1/admin-tokens", `{"name":"on-call","role":"operator","expires_at":"2099-01-01T00:00:00Z"}`)
	s.api(t, "POST", "/admin/v1/admin-tokens", `{"name":"dashboard","role":"viewer"}`)
	s.api(t, "POST", "/admin/v1/users", `{"username":"alice","password":"correct horse battery","email":"alice@example.com","is_staff":true}`)
	return access
}

// TestScreenshots writes a picture of each page for each device.
func TestScreenshots(t *testing.T) {
	if *shots == "" {
		t.Skip("no -shots directory is given")
	}
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	s := mustStart(t)
	access := s.fill(t)
	b := mustBrowse(t, s)
	shoot := func(d device, name string) {
		t.Helper()
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", name, d.width, d.scheme))
		if err := os.WriteFile(file, png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range devices() {
		b.use(d)
		b.open("/")
		shoot(d, "login")
	}
	b.login()
	pages := b.pages()
	for _, d := range devices() {
		b.use(d)
		for name, path := range pages {
			b.open(path)
			shoot(d, name)
		}
		b.open("/check")
		b.do("paste a token", chromedp.SetValue(chromedp.CSS("#token"), access))
		b.click(".actions .primary", "#claims")
		shoot(d, "check-done")
		b.open("/users")
		b.click(`form[action="/users/disable"] button`, `form[action="/users/active"] .danger`)
		shoot(d, "disable")
		b.open("/admin-tokens")
		b.click("details.panel summary", "#name")
		b.do("name a token", chromedp.SendKeys(chromedp.CSS("#name"), "deploy-"+d.scheme))
		shoot(d, "admin-token-form")
		b.click("details.panel .primary", "#made")
		shoot(d, "admin-token-made") // the only time that it is shown
	}
}
