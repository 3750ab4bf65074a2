package issuer

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLoneSurrogate(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"a":"plain"}`: false, `"\ud83d\ude00"`: false, `"\uD83D\uDE00\ud83d\ude00"`: false, `"\u00e9\n\\"`: false, `"\\ud800"`: false,
		`"\ufffd"`: false, `"\ue000\ud7ff"`: false, `""`: false, ``: false,
		`"\ud800"`: true, `"\udfff"`: true, `"\ud83dx\ude00"`: true, `"\ud83d\n\ude00"`: true, `"\ude00\ud83d"`: true, `"\ud83d\ud83d\ude00"`: true,
		`"\\\ud800"`: true, `{"\udc00":1}`: true, `"\ud800`: true, `"\ud83d\u0041"`: true,
	} {
		if got := loneSurrogate([]byte(doc)); got != want {
			t.Errorf("%s: %t", doc, got)
		}
	}
}

// FuzzNoTextIsMended: of two documents that are taken, no string stands for another one:
// U+FFFD is there only where the document says so.
func FuzzNoTextIsMended(f *testing.F) {
	for _, doc := range []string{`"a"`, `"\ud83d\ude00"`, `"\ud800"`, `"\ufffd"`, `"�"`, `"\\ud800\ud800"`, `"\uD83D\\uDE00"`} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		var text string
		if !utf8.ValidString(doc) || json.Unmarshal([]byte(doc), &text) != nil {
			return
		}
		said := strings.Contains(strings.ToLower(doc), `\ufffd`) || strings.Contains(doc, "�")
		if mended := strings.Contains(text, "�") && !said; mended != loneSurrogate([]byte(doc)) && !said {
			t.Errorf("%q reads as %q, and counts as mended: %t", doc, text, !mended)
		}
	})
}
