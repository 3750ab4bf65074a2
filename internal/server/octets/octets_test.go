package octets_test

import (
	"math/rand/v2"
	"net/textproto"
	"strings"
	"testing"

	"tollgate/internal/server/octets"
)

// plain is Plain byte by byte.
func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
}

// TestPlain puts every byte at every place of texts of every length around a word's.
func TestPlain(t *testing.T) {
	t.Parallel()
	for length := range 26 {
		for at := range length {
			for _, filler := range []byte{' ', '~', 'a', '@'} {
				text := []byte(strings.Repeat(string(filler), length))
				for c := range 256 {
					text[at] = byte(c)
					if got, want := octets.Plain(string(text)), c >= 0x20 && c <= 0x7e; got != want {
						t.Fatalf("%q: %t", text, got)
					}
				}
			}
		}
	}
	if !octets.Plain("") {
		t.Error("nothing is plain")
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("Bearer abc")
	f.Add("\x00\x7f\x80\xff\x1f\x20\x7e\x21")
	f.Fuzz(func(t *testing.T, s string) {
		if got := octets.Plain(s); got != plain(s) {
			t.Errorf("%q: %t", s, got)
		}
	})
}

func TestCanonicalKey(t *testing.T) {
	t.Parallel()
	const bytes = "aZ-_.09bY--"
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		name := make([]byte, random.IntN(12))
		for i := range name {
			name[i] = bytes[random.IntN(len(bytes))]
		}
		if got, want := octets.CanonicalKey(string(name)), textproto.CanonicalMIMEHeaderKey(string(name)); got != want {
			t.Fatalf("%q: %q, want %q", name, got, want)
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	text := strings.Repeat("eyJhbGciOiJFUzI1NiJ9.", 30)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !octets.Plain(text) {
			b.Fatal("not plain")
		}
	}
}
