package token_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

// TestMemoryKeepsTokensAlone: a token is a piece of the head that it came in, and that
// may be far longer. What is remembered must not hold on to it, or the bound in bytes
// would be none.
func TestMemoryKeepsTokensAlone(t *testing.T) {
	const tokens, around = 512, 64 << 10
	s := mustSigner(t, "kid", keys.EdDSA)
	v, _ := mustRemembering(t, 4<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)})
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	filler, before := strings.Repeat("x", around), heap()
	for i := range tokens {
		raw := s.mint(head(s).String(), others().with("jti", strconv.Quote(fmt.Sprint(i))).String())
		request := raw + filler
		if _, err := v.Authenticate(t.Context(), request[:len(raw)], &token.Policy{}, allClear); err != nil {
			t.Fatal(err)
		}
	}
	grown := heap() - before
	if kept, counted, _, _ := v.Remembered(); kept < tokens/2 || grown > tokens*around/4 {
		t.Errorf("%d tokens, which count for %d bytes, hold %d", kept, counted, grown)
	}
	runtime.KeepAlive(v)
}

// TestRememberedUnderNewSettings: after the issuers were replaced a token is read again
// once, not with every request.
func TestRememberedUnderNewSettings(t *testing.T) {
	s := mustSigner(t, "kid", keys.EdDSA)
	issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}
	v, now := mustRemembering(t, 1<<20, issuer)
	raw := s.mint(head(s).String(), others().String())
	ask := func() (*token.Identity, error) { return v.Authenticate(t.Context(), raw, &token.Policy{}, allClear) }
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Trust([]token.Issuer{issuer}); err != nil {
		t.Fatal(err)
	}
	second, err := ask()
	if err != nil || second == first {
		t.Fatalf("not read by the new settings: %v", err)
	}
	if third, err := ask(); err != nil || third != second {
		t.Errorf("read once more: %v", err)
	}
	issuer.MaxLifetime = map[string]time.Duration{"": time.Second}
	if err := v.Trust([]token.Issuer{issuer}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := ask(); reasonOf(err) != token.ReasonLifetime {
			t.Errorf("beyond the cap: %v", err)
		}
	}
	issuer.MaxLifetime = nil
	if err := v.Trust([]token.Issuer{issuer}); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Hour)
	if _, err := ask(); reasonOf(err) != token.ReasonExpired {
		t.Errorf("expired: %v", err)
	}
}
