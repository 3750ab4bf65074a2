package keys_test

import (
	"testing"
	"time"

	"tollgate/keys"
)

func TestFreshness(t *testing.T) {
	const m, s = time.Minute, time.Second
	usual, short := keys.ConfirmedFreshness(5*m, 5*s), keys.ConfirmedFreshness(3*s, 5*s)
	for _, c := range []struct {
		f         keys.Freshness
		age, want time.Duration
	}{
		{usual, 0, 5 * m}, {usual, 5 * s, 5 * m}, {usual, 6 * s, 5*m - 6*s}, {usual, 5*m - s, s}, {usual, 5 * m, -1}, {usual, time.Hour, -1},
		{short, 0, 3 * s}, {short, s, 3 * s}, {short, 2 * s, s}, {short, 3 * s, 0}, {short, 5 * s, 0}, {short, 5*s + 1, -1},
		{keys.Freshness{MaxAge: m}, 0, m}, {keys.Freshness{MaxAge: m}, 1, m - 1}, {keys.Freshness{MaxAge: m}, m, -1},
	} {
		if got := c.f.Left(c.age); got != c.want {
			t.Errorf("%+v at %s: %s, want %s", c.f, c.age, got, c.want)
		}
	}
}

// TestOldestIsABound: whatever the age at which a set was handed out, a verifier
// that obeys its max-age never uses an older one.
func TestOldestIsABound(t *testing.T) {
	for _, maxAge := range []time.Duration{time.Second, 3 * time.Second, time.Minute, 5 * time.Minute} {
		f := keys.ConfirmedFreshness(maxAge, 5*time.Second)
		reached := time.Duration(0)
		for age := time.Duration(0); age < 2*f.Oldest(); age += 100 * time.Millisecond {
			if left := f.Left(age); left >= 0 {
				reached = max(reached, age+left)
			}
		}
		if reached > f.Oldest() || reached < f.Oldest()-time.Second {
			t.Errorf("max-age %s: sets get %s old, said was %s", maxAge, reached, f.Oldest())
		}
	}
}

func TestPublisher(t *testing.T) {
	one, other := mustSet(t, mustKey(t, keys.ES256)), mustSet(t, mustKey(t, keys.ES256))
	set, left := one, time.Minute
	p := keys.NewPublisher(func() (*keys.Set, time.Duration) { return set, left })
	first := p.Current()
	if first == nil || first.MaxAge != time.Minute {
		t.Fatalf("%+v", first)
	}
	left = time.Second
	again := p.Current()
	if again.MaxAge != time.Second || first.MaxAge != time.Minute || &again.JWKS[0] != &first.JWKS[0] {
		t.Error("the document was written anew, or the old one was changed")
	}
	set = other
	if p.Current().ETag == first.ETag {
		t.Error("another set under the same tag")
	}
	if `"`+keys.DocumentHash(first.JWKS)+`"` != first.ETag {
		t.Error("the hash of a document is not its tag")
	}
	for name, spoil := range map[string]func(){"no set": func() { set = nil }, "no keys": func() { set = mustSet(t) }, "spent": func() { set, left = one, -1 }} {
		if spoil(); p.Current() != nil {
			t.Errorf("%s: something is published", name)
		}
	}
}
