package token

import (
	"encoding/base64"
	"strings"
	"testing"
)

// FuzzSplitHasOneSpelling: what split accepts is what encoding its segments
// again gives, so no two texts are one token.
func FuzzSplitHasOneSpelling(f *testing.F) {
	for _, seed := range []string{
		"AA.AA.AA", "AB.AA.AA", "AA.AA.AB", "AAA.AAA.AAA", "AAAA.AAAA.AAAA", "A.AA.AA", "AA..AA", "AA.AA.", ".AA.AA", "AA.AA", "AA.AA.AA.AA", "AA.AA.AA.AA.AA",
		"AA==.AA.AA", "AA.A+.AA", "AA.A-.A_", "AA.AA.AA\n", "AA.A\rA.AA", " AA.AA.AA", "", ".", "..", "e30.e30.e30", `{"payload":"AA"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, refusal := split(raw, 64)
		if refusal != nil {
			if refusal.Reason != ReasonMalformed || refusal.Fault == "" || c.header != nil || c.payload != nil || c.signature != nil {
				t.Errorf("%q: %v, %v", raw, refusal, c)
			}
			if spelledWell(raw) {
				t.Errorf("%q was refused: %v", raw, refusal)
			}
			return
		}
		if !spelledWell(raw) {
			t.Errorf("%q was accepted", raw)
		}
		again := make([]string, 3)
		for i, segment := range [][]byte{c.header, c.payload, c.signature} {
			if len(segment) == 0 {
				t.Errorf("%q: segment %d is empty", raw, i)
			}
			again[i] = base64.RawURLEncoding.EncodeToString(segment)
		}
		if strings.Join(again, ".") != raw || c.signed != again[0]+"."+again[1] {
			t.Errorf("%q has another spelling: %q", raw, again)
		}
	})
}

// spelledWell says the same as split, by decoding leniently and comparing.
func spelledWell(raw string) bool {
	segments := strings.Split(raw, ".")
	if len(raw) > 64 || len(segments) != 3 {
		return false
	}
	for _, s := range segments {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || s == "" || base64.RawURLEncoding.EncodeToString(b) != s {
			return false
		}
	}
	return true
}
