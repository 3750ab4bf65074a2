//go:build browser

package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestEndASession: log in, find a user's sessions, end one, see it gone and its client
// refused; with scripts and without.
func TestEndASession(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			s := mustStart(t)
			kept := s.mustLogin(t)
			time.Sleep(time.Second) // the list is in the order of whole seconds; the newest stands first
			access := s.mustLogin(t)
			b := mustBrowse(t, s)
			b.scripts(scripts)
			b.login()
			b.click(`nav a[href="/sessions"]`, "#q")
			b.do("look for demo", chromedp.SendKeys(chromedp.CSS("#q"), "demo"))
			b.click(".search button", `footer a[href*="/everywhere"]`)
			if text := b.text("main"); !strings.Contains(text, "2 live sessions of demo") {
				t.Fatalf("found: %s", text)
			}
			if s.status(t, access) != http.StatusOK {
				t.Fatal("the client is out before")
			}
			b.do("tick the newest", chromedp.Click(chromedp.CSS("tbody tr:first-child input")))
			b.click("footer button.danger", `form[action="/sessions/revoke"]`)
			b.click(`form[action="/sessions/revoke"] button`, ".note.good")
			if text := b.text("main"); !strings.Contains(text, "1 session was ended") || !strings.Contains(text, "1 live session of demo") {
				t.Errorf("told: %s", text)
			}
			if s.status(t, access) != http.StatusUnauthorized || s.status(t, kept) != http.StatusOK {
				t.Errorf("the ended one is answered %d, the other %d", s.status(t, access), s.status(t, kept))
			}
			b.click(`nav a[href="/revocations"]`, `nav a[href="/revocations"][aria-current]`)
			if row := b.text("tbody tr"); !strings.Contains(row, "session") || !strings.Contains(row, "ended by an administrator") {
				t.Errorf("the list of revocations: %q", row)
			}
			b.click("tbody a", ".kv")
			// An edge tells how far it is every few seconds, unless somebody waits for it.
			for end := time.Now().Add(20 * time.Second); !strings.Contains(b.text("main"), "1 of 1 live edges have told"); {
				if time.Now().After(end) {
					t.Fatalf("where it is in force: %s", b.text("main"))
				}
				time.Sleep(time.Second)
				b.do("look again", chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(".kv")))
			}
		})
	}
}

// TestEmergency: a key is revoked after its name was typed, and what it signed is out.
func TestEmergency(t *testing.T) {
	s := mustStart(t)
	access := s.mustLogin(t)
	b := mustBrowse(t, s)
	b.login()
	b.open("/keys")
	b.click("tbody a.danger", "#word")
	b.do("type another word", chromedp.SendKeys(chromedp.CSS("#word"), "wrong"))
	b.click("button.danger", ".note.bad")
	if s.status(t, access) != http.StatusOK {
		t.Fatal("a wrong word revokes as well")
	}
	b.do("type the word", chromedp.SendKeys(chromedp.CSS("#word"), b.text("label code")))
	b.click("button.danger", ".note.good")
	if s.status(t, access) != http.StatusUnauthorized || s.status(t, s.mustLogin(t)) != http.StatusOK {
		t.Error("the key's token is taken, or its successor's is not")
	}
	if text := b.text("main"); !strings.Contains(text, "revoked") {
		t.Errorf("the page: %s", text)
	}
}

// TestTokenCheck: what a token says is shown, and where the process can explain, why.
func TestTokenCheck(t *testing.T) {
	s := mustStart(t)
	access := s.mustLogin(t)
	b := mustBrowse(t, s)
	b.login()
	b.open("/check")
	b.do("paste", chromedp.SetValue(chromedp.CSS("#token"), access))
	b.click(".actions .primary", "#claims")
	text := b.text("main")
	if !strings.Contains(text, `"sub": "1"`) || !strings.Contains(text, `"alg": "ES256"`) {
		t.Errorf("not decoded: %s", text)
	}
	explains := s.api(t, http.MethodPost, "/admin/v1/tokens/explain", `{"token":"x"}`) != http.StatusNotFound
	if explains != strings.Contains(text, "Accepted") {
		t.Errorf("the API explains: %t; the page: %s", explains, text)
	}
}

// looks finds what cannot be read, what has no name, and what is wider than the page.
const looks = `(() => {
  const out = [];
  const rgb = s => (s.match(/[\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return rgb(getComputedStyle(document.body).backgroundColor); };
  for (const e of document.querySelectorAll('body *')) {
    const shown = e.checkVisibility() && e.getClientRects().length > 0 && !e.closest('svg');
    if (!shown) continue;
    if ([...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) {
      const a = light(rgb(getComputedStyle(e)['col' + 'or'])), b = light(behind(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      if (ratio < 4.5) out.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
    }
    if (e.matches('input:not([type=hidden]),select,textarea') && !e.labels?.length && !e.ariaLabel) out.push('no label: ' + e.outerHTML.slice(0, 80));
    if (e.matches('a,button') && !(e.ariaLabel || e.textContent).trim()) out.push('no name: ' + e.outerHTML.slice(0, 80));
  }
  if (document.documentElement.scrollWidth > innerWidth) out.push('wider than the screen by ' + (document.documentElement.scrollWidth - innerWidth));
  return out;
})()`

// TestEveryPageCanBeRead on every device: contrast of WCAG 2 AA, names, and no page
// that has to be pushed aside.
func TestEveryPageCanBeRead(t *testing.T) {
	s := mustStart(t)
	s.fill(t)
	b := mustBrowse(t, s)
	b.login()
	pages := b.pages()
	for _, d := range devices() {
		b.use(d)
		for name, path := range pages {
			b.open(path)
			faults, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](looks))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range slices.Compact(faults) {
				t.Errorf("%s at %d, %s: %s", name, d.width, d.scheme, f)
			}
		}
	}
}
