package console_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// pages are all that can be looked at, for a system in which everything is called x.
func pages(x string) []string {
	x = url.PathEscape(x)
	q := url.QueryEscape(x)
	return []string{
		"/", "/sessions", "/sessions?q=" + q, "/sessions/s-" + x, "/sessions/everywhere?subject=" + q, "/revocations", "/revocations?kind=jti&subject=" + q,
		"/revocations/r-" + x, "/check", "/keys", "/keys/kid-" + x + "/revoke", "/routes", "/routes?url=" + q, "/users", "/admin-tokens", "/admin-tokens/t-" + x + "/revoke", "/audit?actor=" + q, "/settings", "/settings?changed=1",
	}
}

func unsigned(text string) string {
	claims, _ := json.Marshal(map[string]string{"sub": text})
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + ".x"
}

// TestNoTextBecomesMarkup puts what others have collected into every field of every
// page: the tags and attributes stay those of the page with a harmless word.
func TestNoTextBecomesMarkup(t *testing.T) {
	data, err := os.ReadFile("testdata/blns.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil || len(texts) < 200 {
		t.Fatalf("%d texts, %v", len(texts), err)
	}
	plain := open(t, "harmless")
	plain.login()
	want := map[int][]string{}
	for i, target := range pages("harmless") {
		want[i] = shape(plain.get(target))
	}
	form := func(text string) url.Values {
		return url.Values{"token": {unsigned(text)}, "url": {text}, "method": {text}}
	}
	wantCheck := shape(plain.send("POST", "/check", form("harmless")).Body.String())
	for _, text := range append(texts, `x" autofocus onfocus="alert(1)`, "javascript:alert(1)", "{{.}}") {
		b := plain // a console of its own for each would be spent on reading templates
		b.api.text = text
		for i, target := range pages(text) {
			w := b.send("GET", target, nil)
			if got := shape(w.Body.String()); w.Code == http.StatusOK && !slices.Equal(got, want[i]) {
				t.Errorf("%s with %q:\n%v\nnot\n%v", pages("…")[i], text, got, want[i])
			} else if w.Code >= 500 {
				t.Errorf("%s with %q: %d", pages("…")[i], text, w.Code)
			}
		}
		if got := shape(b.send("POST", "/check", form(text)).Body.String()); !slices.Equal(got, wantCheck) {
			t.Errorf("token check with %q: %v", text, got)
		}
	}
}

// TestEveryPage: whole, with its twin, without the token, and told to keep to itself.
func TestEveryPage(t *testing.T) {
	b := open(t, "word")
	b.login()
	for _, target := range pages("word") {
		w := b.send("GET", target, nil)
		page := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(page, "word") || !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("%s: %d %s", target, w.Code, page)
		}
		if !strings.Contains(page, "The same without the console") || !strings.Contains(page, "$TOLLGATE_ADMIN_TOKEN") || !strings.Contains(page, "<pre tabindex=\"0\">tollgate ") {
			t.Errorf("%s has no twin", target)
		}
		if strings.Contains(page, token) || strings.Contains(page, "<script") || strings.Contains(page, " style=") {
			t.Errorf("%s has a token, a script or a style in it", target)
		}
		if strings.Count(page, "<h1>") != 1 || target != "/" && strings.Count(page, "aria-current") != 1 {
			t.Errorf("%s: headings or the menu's mark", target)
		}
		h := w.Header()
		if csp := h.Get("Content-Security-Policy"); csp != "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'" {
			t.Errorf("%s: policy %q", target, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: headers %v", target, h)
		}
	}
}

// TestFieldsHaveLabels: every field that a person fills in has one.
func TestFieldsHaveLabels(t *testing.T) {
	b := open(t, "word")
	texts := []string{b.get("/")}
	b.login()
	for _, target := range pages("word") {
		texts = append(texts, b.get(target))
	}
	seen := 0
	for _, page := range texts {
		for _, tag := range tagText.FindAllString(page, -1) {
			name, _, _ := strings.Cut(strings.TrimPrefix(tag, "<"), " ")
			if name != "input" && name != "select" && name != "textarea" || strings.Contains(tag, `type="hidden"`) {
				continue
			}
			seen++
			_, after, _ := strings.Cut(tag, ` id="`)
			id, _, _ := strings.Cut(after, `"`)
			inside := strings.Contains(page, `<label class="inline">`+tag)
			if !strings.Contains(tag, "aria-label=") && !inside && (id == "" || !strings.Contains(page, `<label for="`+id+`"`)) {
				t.Errorf("no label for %s", tag)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d fields were found", seen)
	}
}

// TestTheAPIRefuses: what it says reaches the page, and a role that is off is no fault.
func TestTheAPIRefuses(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   string
	}{
		{404, "not_here", "Not in this process"}, {404, "no_such_endpoint", "keeps nothing of the kind"}, {403, "role", "That did not work"},
		{503, "unavailable", "tollgate doctor"}, {500, "internal", "That did not work"},
	} {
		b := open(t, "said by the API")
		b.login()
		b.api.status, b.api.code = c.status, c.code
		for _, target := range []string{"/sessions?q=x", "/sessions/x", "/revocations", "/revocations/x", "/keys", "/routes", "/users", "/admin-tokens", "/admin-tokens/x/revoke", "/audit", "/settings"} {
			w := b.send("GET", target, nil)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s after %d %s: %d %s", target, c.status, c.code, w.Code, w.Body)
			}
		}
		if page := b.get("/"); !strings.Contains(page, "Overview") {
			t.Errorf("the overview after %d: %s", c.status, page)
		}
	}
}
