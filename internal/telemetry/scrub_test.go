package telemetry_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tollgate/internal/telemetry"
)

// TestHoldsToken: a whole token anywhere, and no word that only begins like one.
func TestHoldsToken(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "laptop stolen": false, "monkeyJump": false,
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl": true, "found eyJhbGciOiJub25lIn0 in a mail": true,
	} {
		if got := telemetry.HoldsToken(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestScrub(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
	tests := []struct{ name, in, want string }{
		{"plain", "dial tcp 10.0.0.1:80: connection refused", "dial tcp 10.0.0.1:80: connection refused"},
		{"token", "bad " + jwt + " here", "bad *** here"},
		{"two tokens", jwt + "," + jwt, "***,***"},
		{"shortest token", "eyJhbGciOiJub25lIn0", "***"},
		{"words", "monkeyJump and KeyJob", "monkeyJump and KeyJob"},
		{"word and token", "monkeyJump " + jwt, "monkeyJump ***"},
		{"query", `Get "http://h/p?token=x&y=z": EOF`, `Get "http://h/p?***": EOF`},
		{"question", "what? nothing", "what? nothing"},
		{"question at the end", "what?", "what?"},
		{"userinfo", "redis://user:pa@ss@h:6379/0 down", "redis://***@h:6379/0 down"},
		{"no userinfo", "http://h/a@b", "http://h/a@b"},
		{"control", "a\nb\tc\x1b[31m\x7f", `a\x0ab\x09c\x1b[31m\x7f`},
		{"C1 control", "a\u0085b", `a\xc2\x85b`},
		{"invalid UTF-8", "a\xffb", `a\xffb`},
		{"letters", "größe 東", "größe 東"},
		{"long", strings.Repeat("x", 600), strings.Repeat("x", 512)},
		{"cut between characters", strings.Repeat("ä", 300), strings.Repeat("ä", 256)},
		{"cut in a character", "x" + strings.Repeat("ä", 300), "x" + strings.Repeat("ä", 255)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := telemetry.Scrub(tt.in); got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// FuzzScrubIsOneSafeLine: whatever goes in, one bounded line of printable, valid
// text comes out, without a token.
func FuzzScrubIsOneSafeLine(f *testing.F) {
	f.Add("a\nb", "?x=1")
	f.Add("eyJhbGciOiJub25lIn0", "://u:p@h")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := telemetry.Scrub(a + " eyJhbGciOiJFUzI1NiJ9.e30.c2ln " + b)
		if len(got) > 512 || !utf8.ValidString(got) || strings.Contains(got, "eyJhbGciOiJFUzI1NiJ9") {
			t.Errorf("%q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) {
				t.Errorf("control character in %q", got)
			}
		}
	})
}
