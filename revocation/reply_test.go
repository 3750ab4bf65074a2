package revocation

import (
	"errors"
	"math"
	"testing"
	"time"
)

// TestParseCheckRefuses: a reply that is not exactly what was asked for is an
// error, never "nothing is revoked".
func TestParseCheckRefuses(t *testing.T) {
	tok := &Token{Issuer: "i", JTI: "j"}
	probes := tok.probes(nil, "")
	echo := probes[0].digest.String()
	good := func() []string {
		return []string{"id", "5", "0", "7", "9", echo, "11", "jti", "8", "", "0"}
	}
	e, cuts, err := parseCheck(good(), echo, probes)
	if err != nil || e != (Epoch{ID: "id", Born: 5, N: 7, Clock: 9}) || cuts[0] != 8 || cuts[1] != 0 {
		t.Fatalf("%+v %v %v", e, cuts, err)
	}
	if age, err := parsePulse(good()); age != 11*time.Microsecond || err != nil {
		t.Fatalf("%v %v", age, err)
	}
	with := func(i int, s string) []string { r := good(); r[i] = s; return r }
	for name, reply := range map[string][]string{
		"nothing":              nil,
		"too short":            good()[:10],
		"too long":             append(good(), "x"),
		"somebody else's":      with(5, probes[1].digest.String()),
		"no echo":              with(5, ""),
		"born of text":         with(1, "x"),
		"born before 1970":     with(1, "-1"),
		"complete since empty": with(2, ""),
		"rounded clock":        with(4, "1.7e+15"),
		"cut of text":          with(8, "x"),
		"empty cut":            with(8, ""),
		"another kind":         with(7, "session"),
		"cut without a kind":   with(10, "3"),
	} {
		if _, _, err := parseCheck(reply, echo, probes); !errors.Is(err, errReply) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParsePulse(t *testing.T) {
	for text, want := range map[string]time.Duration{"": math.MaxInt64, "0": 0, "2500000": 2500 * time.Millisecond} {
		if age, err := parsePulse([]string{6: text}); age != want || err != nil {
			t.Errorf("%q: %v %v", text, age, err)
		}
	}
	for _, text := range []string{"x", "-1", "9223372036854775807"} {
		if age, err := parsePulse([]string{6: text}); !errors.Is(err, errReply) {
			t.Errorf("%q: %v %v", text, age, err)
		}
	}
}

func TestParseEntryRefuses(t *testing.T) {
	if e, err := parseEntry(Digest{}, []any{}); e != nil || err != nil {
		t.Errorf("no fields: %+v, %v", e, err)
	}
	later := []any{"k", "jti", "n", "3", "unheard", "of", "s:5", `{"why":"w","who":"a","exp":"6","u":"","more":1}`}
	e, err := parseEntry(Digest{}, later)
	if err != nil || e.n != 3 || len(e.statements) != 1 || e.statements[0] != (statement{at: 5, exp: 6, why: "w", who: "a"}) {
		t.Fatalf("%+v, %v", e, err)
	}
	for name, v := range map[string]any{
		"text":              "x",
		"odd":               []any{"k"},
		"number":            []any{"n", int64(3)},
		"n of text":         []any{"n", "x"},
		"time of text":      []any{"s:x", `{"exp":"1","u":""}`},
		"statement of text": []any{"s:1", "x"},
		"no end":            []any{"s:1", `{}`},
		"number as end":     []any{"s:1", `{"exp":1,"u":""}`},
		"undone at text":    []any{"s:1", `{"exp":"1","u":"x"}`},
	} {
		if e, err := parseEntry(Digest{}, v); err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func FuzzParseIDReadsOnlyWhatIsWritten(f *testing.F) {
	f.Add(statementID(DigestOf("i", KindJTI, "j"), 1_700_000_000_000_000))
	f.Add("00000000000000000000000000000000-1")
	f.Fuzz(func(t *testing.T, id string) {
		if d, at, ok := parseID(id); ok && statementID(d, at) != id {
			t.Fatalf("%q is read as %q", id, statementID(d, at))
		}
	})
}

func FuzzParseCursorReadsOnlyWhatIsWritten(f *testing.F) {
	f.Add("1700000000000000-0")
	f.Add("1-1700000000000000")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCursor(text); err == nil && text != "" && c.String() != text {
			t.Fatalf("%q is read as %q", text, c)
		}
	})
}
