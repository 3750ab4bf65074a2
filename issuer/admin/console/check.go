package console

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// explained is what the API makes of a token, step by step.
type explained struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason"`
	Detail   string `json:"detail"`
	Steps    []struct {
		Step    string `json:"step"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
		Detail  string `json:"detail"`
	} `json:"steps"`
	Token *struct {
		Issuer    string     `json:"iss"`
		Subject   string     `json:"sub"`
		JTI       string     `json:"jti"`
		SID       string     `json:"sid"`
		KeyID     string     `json:"kid"`
		Algorithm string     `json:"alg"`
		Type      string     `json:"token_type"`
		IssuedAt  *time.Time `json:"issued_at"`
		ExpiresAt time.Time  `json:"expires_at"`
	} `json:"token"`
	Route *found `json:"route"`
}

// checkData holds no token: neither the form nor anything else of the page repeats
// the one that was pasted.
type checkData struct {
	Method, URL string
	Done        bool
	Absent      string // why nobody here can explain; what is decoded is shown all the same
	Fault       string
	Header      string // decoded, and not verified
	Claims      string
	Verdict     *explained
}

func checkPage(v *visit) error { return v.showCheck(&checkData{}) }

// checkToken shows what a token says and what comes of each check. The token comes in
// a form's body, goes to the API in another, and is kept nowhere.
func checkToken(v *visit) error {
	token := strings.TrimSpace(strings.TrimPrefix(v.field("token"), "Bearer "))
	d := &checkData{Method: v.field("method"), URL: v.field("url"), Done: true}
	if token == "" {
		d.Done, d.Fault = false, "Paste a token."
		return v.showCheck(d)
	}
	d.Header, d.Claims = decode(token)
	body := map[string]string{"token": token, "method": d.Method, "url": d.URL}
	var verdict explained
	switch err := v.call(http.MethodPost, endpoint("tokens", "explain"), body, &verdict); {
	case err == nil:
		d.Verdict = &verdict
	case isOver(err):
		return err
	case absent(err):
		d.Absent = err.Error()
	default:
		d.Fault = err.Error()
	}
	return v.showCheck(d)
}

func (v *visit) showCheck(d *checkData) error {
	return v.show("check", http.StatusOK, &page{Title: "Token check", Nav: "/check", Data: d, Twin: twin{
		Command: "tollgate token explain - < token.txt",
		Curl:    v.curl(http.MethodPost, endpoint("tokens", "explain"), `{"token":"…"}`),
	}})
}

// decode shows the first two parts of a token as they are. It says nothing about
// whether they are to be believed: that is the API's to say.
func decode(token string) (header, claims string) {
	parts := strings.Split(token, ".")
	text := func(n int) string {
		if n >= len(parts) {
			return ""
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[n], "="))
		if err != nil {
			return ""
		}
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false) // the page escapes
		encoder.SetIndent("", "  ")
		if encoder.Encode(json.RawMessage(raw)) != nil {
			return ""
		}
		return strings.TrimSpace(out.String())
	}
	return text(0), text(1)
}
