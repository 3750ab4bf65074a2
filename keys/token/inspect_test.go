package token_test

import (
	"strings"
	"testing"

	"tollgate/keys/token"
)

// TestInspect: what a string says of itself is shown whoever signed it, and only in
// the one form that a token has.
func TestInspect(t *testing.T) {
	w := mustWorld(t)
	raw := w.stranger.mint(head(w.stranger).String(), claims().with("exp", "1").String())
	said, err := token.Inspect(raw, 8192)
	if err != nil || said.Text("sub") != "canary-sub" || said.Text("exp") != "" || said.Text("nothing") != "" ||
		string(said.Header) != head(w.stranger).String() || string(said.Claims) != claims().with("exp", "1").String() {
		t.Errorf("%v, %s %s", err, said.Header, said.Claims)
	}
	for name, raw := range map[string]string{
		"nothing": "", "two segments": "a.b", "too long": strings.Repeat("A", 9<<10), "header": b64("[]") + "." + b64("{}") + ".AA",
		"claims": b64("{}") + "." + b64(`{"a":1,"a":2}`) + ".AA", "no signature": b64("{}") + "." + b64("{}") + ".", "padded": b64("{}") + "=." + b64("{}") + ".AA",
	} {
		if said, err := token.Inspect(raw, 8192); err == nil || said != nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long, err := token.Inspect(w.es.mint(head(w.es).String(), claims().with("sub", `"`+strings.Repeat("a", 256)+`"`).String()), 8192)
	if err != nil || long.Text("sub") != "" {
		t.Errorf("a subject of 256 bytes: %v", err)
	}
}
