package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// visit is one request to a page.
type visit struct {
	console *Console
	w       http.ResponseWriter
	r       *http.Request
	session *session // nil: not logged in
}

// page is what every template is given.
type page struct {
	Title string
	Nav   string // the entry of the menu
	Twin  twin
	Data  any

	// Filled in by show.
	Flash  *flash
	Issuer string
	Menu   []entry
	In     bool // logged in
	Name   string
	Role   string
}

// Can reports whether the log-in has the role or more: a page leaves out what it could
// not do.
func (p *page) Can(role string) bool { return p.In && rank(p.Role) >= rank(role) }

type entry struct {
	Path, Name string
	Here       bool
}

// twin is how to see or do the same without the console.
type twin struct {
	Command string
	Curl    string
}

// menu lists the pages that the log-in may see.
func (v *visit) menu(here string) []entry {
	return slices.DeleteFunc(menu(here), func(e entry) bool {
		least := leastOf("GET " + e.Path)
		return least != "" && !v.session.may(least)
	})
}

func menu(here string) []entry {
	list := []entry{
		{Path: "/", Name: "Overview"}, {Path: "/sessions", Name: "Sessions"}, {Path: "/revocations", Name: "Revocations"},
		{Path: "/check", Name: "Token check"}, {Path: "/keys", Name: "Keys"}, {Path: "/routes", Name: "Routes"}, {Path: "/users", Name: "Users"},
		{Path: "/admin-tokens", Name: "Admin tokens"}, {Path: "/audit", Name: "Audit"}, {Path: "/settings", Name: "Settings"},
	}
	for i := range list {
		list[i].Here = list[i].Path == here
	}
	return list
}

// show makes a page whole before it sends any of it: half a page under a status of
// success would be a lie.
func (v *visit) show(name string, status int, p *page) error {
	t := v.console.pages[name]
	if t == nil {
		return fmt.Errorf("there is no page %q", name)
	}
	p.Issuer, p.In = v.console.Issuer, v.session != nil
	if p.Twin.Command != "" && !strings.Contains(p.Twin.Command, " --server ") {
		flags, values, _ := strings.Cut(p.Twin.Command, " -- ")
		p.Twin.Command = flags + v.server()
		if values != "" {
			p.Twin.Command += " -- " + values // nothing behind it is taken for a flag
		}
	}
	if p.In {
		p.Flash, p.Menu, p.Name, p.Role = v.session.take(), v.menu(p.Nav), v.session.name, v.session.role
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "layout", p); err != nil {
		return fmt.Errorf("make page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(out.Bytes())
	return nil
}

func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// done tells what a form has done, on the page that follows.
func (v *visit) done(to, format string, args ...any) error {
	v.session.say(flash{Kind: "good", Text: fmt.Sprintf(format, args...)})
	return v.redirect(to)
}

// back returns to a page with what the API has against a form. That a token is no
// longer good is no matter of the form.
func (v *visit) back(to string, err error) error {
	var refused *refusal
	if !errors.As(err, &refused) || refused.Status == http.StatusUnauthorized {
		return err
	}
	v.session.say(flash{Kind: "bad", Text: refused.Error()})
	return v.redirect(to)
}

// field is a field of the form, or of the query.
func (v *visit) field(name string) string {
	if v.r.Method == http.MethodPost {
		return strings.TrimSpace(v.r.PostForm.Get(name))
	}
	return strings.TrimSpace(v.r.URL.Query().Get(name))
}

// curl writes a line for a shell that asks the API the same. The token is named by
// its variable, never written out.
func (v *visit) curl(method, path, body string) string {
	line := "curl "
	if before, _, _ := strings.Cut(path, "?"); slices.ContainsFunc(strings.Split(before, "/"), func(s string) bool { return s == "." || s == ".." }) {
		line += "--path-as-is " // else it takes the name for a step
	}
	if method != http.MethodGet && (method != http.MethodPost || body == "") {
		line += "-X " + method + " "
	}
	line += `-H "Authorization: Bearer $TOLLGATE_ADMIN_TOKEN" ` + quote(v.base()+path)
	if body != "" {
		line += " -d " + quote(body)
	}
	return line
}

// base is the address of this console.
func (v *visit) base() string {
	if v.r.TLS != nil {
		return "https://" + v.r.Host
	}
	return "http://" + v.r.Host
}

// server says to a command where we are, if it would not look here anyway.
func (v *visit) server() string {
	if base := v.base(); base != "http://127.0.0.1:8081" {
		return " --server " + quote(base)
	}
	return ""
}

// quote makes one word of a shell of any text.
func quote(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// value is a word of a shell that no command takes for flags; it stands last.
func value(text string) string {
	if strings.HasPrefix(text, "-") {
		return "-- " + quote(text)
	}
	return quote(text)
}

// endpoint joins the parts of a path of the API, each escaped.
func endpoint(parts ...string) string {
	var b strings.Builder
	b.WriteString("/admin/v1")
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// asJSON is a body for a shell's line. A map of texts always encodes.
func asJSON(body map[string]string) string {
	text, _ := json.Marshal(body)
	return string(text)
}

// query adds to a path what is not empty.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
