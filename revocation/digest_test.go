package revocation_test

import (
	"testing"

	"tollgate/revocation"
)

func TestDigestOf(t *testing.T) {
	// The digest names entries that live for months: it must never change.
	if got := revocation.DigestOf("https://issuer.example", revocation.KindJTI, "abc").String(); got != "62f3afbf6f1c1ffe5e305e7529a484d4" {
		t.Errorf("digest %s", got)
	}
	seen := map[revocation.Digest][3]string{}
	parts := []string{"", "a", "b", "ab", "ba", "aa", "\x00", "a\x00", "\x00a", "\x00\x00\x00\x01a", "\x00\x00\x00\x03jti", "jti", "session"}
	for _, issuer := range parts {
		for _, id := range parts {
			for _, kind := range append(revocation.Kinds(), "", "a") {
				d := revocation.DigestOf(issuer, kind, id)
				if other, taken := seen[d]; taken {
					t.Fatalf("%q and %q have one digest", other, [3]string{issuer, string(kind), id})
				}
				seen[d] = [3]string{issuer, string(kind), id}
			}
		}
	}
}

// FuzzDigestNamesOneThing: no way of cutting the same bytes into issuer and id
// gives the same digest.
func FuzzDigestNamesOneThing(f *testing.F) {
	f.Add("issuer", "id", 3)
	f.Add("\x00\x00\x00\x03jti", "\x00\x00\x00\x01a", 7)
	f.Fuzz(func(t *testing.T, issuer, id string, at int) {
		whole := issuer + id
		if at < 0 || at > len(whole) || at == len(issuer) {
			return
		}
		for _, kind := range revocation.Kinds() {
			d := revocation.DigestOf(issuer, kind, id)
			if d == revocation.DigestOf(whole[:at], kind, whole[at:]) {
				t.Fatalf("%q|%q and %q|%q", issuer, id, whole[:at], whole[at:])
			}
			for _, other := range revocation.Kinds() {
				if other != kind && d == revocation.DigestOf(issuer, other, id) {
					t.Fatalf("%s and %s", kind, other)
				}
			}
		}
	})
}

func TestDigestDoesNotAllocate(t *testing.T) {
	sid := revocation.NewSessionID(1_700_000_000_000_000)
	if n := testing.AllocsPerRun(100, func() { revocation.DigestOf("https://issuer.example", revocation.KindSession, sid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
