package revocationtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
)

// single are orders about one thing; revoking that twice is one statement.
func single() []revocation.Order {
	return []revocation.Order{
		{Kind: revocation.KindJTI, Value: "j"},
		{Kind: revocation.KindSession, Value: "s"},
		{Kind: revocation.KindKey, Value: "key-1"},
		{Kind: revocation.KindSigned, Value: "h.p"},
	}
}

// tokenFor returns a token that single orders speak of: by its signed part when
// the kind is that.
func (h Harness) tokenFor(t *testing.T, kind revocation.Kind) *revocation.Token {
	t.Helper()
	tok := h.token(t, "j", "s", "u")
	if kind == revocation.KindSigned {
		tok.JTI, tok.Signed = "", []byte("h.p")
	}
	return tok
}

func testIdempotent(t *testing.T, h Harness) {
	soon := time.Now().Add(time.Minute).Truncate(time.Second)
	for _, o := range single() {
		o.Reason, o.Actor, o.ExpiresAt = "first", "a", soon
		first := h.mustRevoke(t, o)
		again := o
		again.Reason, again.Actor = "second", "b"
		if got := h.mustRevoke(t, again); got != first {
			t.Errorf("%s again: %+v, was %+v", o.Kind, got, first)
		}
		again.ExpiresAt = soon.Add(-30 * time.Second)
		if got := h.mustRevoke(t, again); got != first {
			t.Errorf("%s again, for less long: %+v, was %+v", o.Kind, got, first)
		}
		again.ExpiresAt = soon.Add(time.Minute)
		longer := h.mustRevoke(t, again)
		if o.Kind == revocation.KindKey {
			if longer != first || !first.ExpiresAt.IsZero() {
				t.Errorf("key: %+v, was %+v", longer, first)
			}
		} else if longer.ID != first.ID || !longer.ExpiresAt.Equal(again.ExpiresAt) || longer.Seq <= first.Seq || longer.Reason != "first" {
			t.Errorf("%s again, for longer: %+v, was %+v", o.Kind, longer, first)
		}
		if got := h.mustGet(t, first.ID); got != longer {
			t.Errorf("%s: get %+v, want %+v", o.Kind, got, longer)
		}
	}
	if p := h.mustList(t, revocation.Filter{}); len(p.Items) != len(single()) {
		t.Errorf("%d statements are listed: %+v", len(p.Items), p.Items)
	}
}

func testUndo(t *testing.T, h Harness) {
	for _, o := range single() {
		tok := h.tokenFor(t, o.Kind)
		first := h.mustRevoke(t, o)
		h.wantRevoked(t, "revoked", tok, o.Kind)

		undone := h.mustUndo(t, first.ID)
		h.wantClear(t, "undone", tok)
		if undone.ID != first.ID || undone.InForce() || undone.UndoneAt.Before(first.RevokedAt) || undone.Seq <= first.Seq {
			t.Errorf("%s undone: %+v, was %+v", o.Kind, undone, first)
		}
		if got := h.mustUndo(t, first.ID); got != undone {
			t.Errorf("%s undone again: %+v, was %+v", o.Kind, got, undone)
		}
		if got := h.mustGet(t, first.ID); got != undone {
			t.Errorf("%s: get %+v, want %+v", o.Kind, got, undone)
		}

		second := h.mustRevoke(t, o)
		h.wantRevoked(t, "revoked again", tok, o.Kind)
		if second.ID == first.ID || !second.InForce() || !second.RevokedAt.After(undone.UndoneAt) {
			t.Errorf("%s revoked again: %+v after %+v", o.Kind, second, undone)
		}
		if got := h.mustUndo(t, first.ID); got.UndoneAt != undone.UndoneAt {
			t.Errorf("%s: the first one is undone anew: %+v", o.Kind, got)
		}
		h.wantRevoked(t, "the first one undone once more", tok, o.Kind)
		h.mustUndo(t, second.ID)
		h.wantClear(t, "both undone", tok)
	}
}

func testNotFound(t *testing.T, h Harness) {
	r := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "j"})
	digest, at, _ := strings.Cut(r.ID, "-")
	for _, id := range []string{
		"", "-", "x", digest, digest + "-", "-" + at, digest + "-0", digest + "-1", digest + "-" + at + "0", digest + "-0" + at,
		digest + "-+" + at, digest + "--" + at, strings.ToUpper(digest) + "-" + at, digest[1:] + "-" + at, digest + "0-" + at,
		revocation.DigestOf(own, revocation.KindJTI, "k").String() + "-" + at,
		digest + "-99999999999999999999999", r.ID + " ", " " + r.ID, r.ID + "\x00",
	} {
		if digest == strings.ToUpper(digest) && strings.Contains(id, digest) && id == r.ID {
			continue // a digest without letters has no upper case
		}
		if got, err := h.Store.Get(t.Context(), id); !errors.Is(err, revocation.ErrNotFound) {
			t.Errorf("get %q: %+v, %v", id, got, err)
		}
		if got, err := h.Store.Undo(t.Context(), id); !errors.Is(err, revocation.ErrNotFound) {
			t.Errorf("undo %q: %+v, %v", id, got, err)
		}
	}
	if got := h.mustGet(t, r.ID); got != r {
		t.Errorf("changed to %+v", got)
	}
}
