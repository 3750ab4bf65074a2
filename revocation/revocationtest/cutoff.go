package revocationtest

import (
	"testing"
	"time"

	"tollgate/revocation"
)

func testStoreTime(t *testing.T, h Harness) {
	last := int64(0)
	for i := range 200 {
		now := h.birth(t)
		if i%10 == 0 {
			now = h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u"}).RevokedAt.UnixMicro()
		}
		if now <= last {
			t.Fatalf("store time %d after %d", now, last)
		}
		last = now
	}
}

// testSameSecond: log in, log out everywhere, log in again, all within a second,
// again and again. Nothing of an older session survives, the new one does.
func testSameSecond(t *testing.T, h Harness) {
	orders := []revocation.Order{{Kind: revocation.KindSubject, Value: "u"}, {Kind: revocation.KindAll}}
	tok := h.token(t, "j", "s", "u")
	for round := range 100 {
		o := orders[round%len(orders)]
		h.wantClear(t, "before", tok)
		h.mustRevoke(t, o)
		h.wantRevoked(t, "session from before the cut-off", tok, o.Kind)
		refreshed := *tok // minted after the cut-off, but of the same session
		refreshed.JTI, refreshed.IssuedAt = "j2", tok.IssuedAt+60
		h.wantRevoked(t, "refreshed after the cut-off", &refreshed, o.Kind)
		tok = h.token(t, "j", "s", "u")
		h.wantClear(t, "session born right after", tok)
	}
}

func testForeignSecond(t *testing.T, h Harness) {
	for _, o := range []revocation.Order{
		{Kind: revocation.KindSubject, Issuer: foreign, Value: "u"},
		{Kind: revocation.KindAll, Issuer: foreign},
	} {
		r := h.mustRevoke(t, o)
		second := r.RevokedAt.Unix()
		for _, tc := range []struct {
			name    string
			iat     int64
			revoked bool
		}{
			{"an hour before", second - 3600, true}, {"the second before", second - 1, true},
			{"the cut-off's own second", second, true}, {"the second after", second + 1, false},
			{"no iat", 0, true},
		} {
			tok := &revocation.Token{Issuer: foreign, JTI: "j", Subject: "u", KeyID: "k", IssuedAt: tc.iat}
			if tc.revoked {
				h.wantRevoked(t, tc.name, tok, o.Kind)
			} else {
				h.wantClear(t, tc.name, tok)
			}
		}
		h.mustUndo(t, r.ID)
	}
}

func testUndoCutOffs(t *testing.T, h Harness) {
	for _, o := range []revocation.Order{{Kind: revocation.KindSubject, Value: "u"}, {Kind: revocation.KindAll}} {
		var toks [4]*revocation.Token
		var revs [3]revocation.Revocation
		for i := range revs { // toks[i] is born before revs[i], toks[3] after all
			toks[i] = h.token(t, "j", "s", "u")
			revs[i] = h.mustRevoke(t, o)
		}
		toks[3] = h.token(t, "j", "s", "u")
		if revs[0].ID == revs[1].ID {
			t.Fatal("two cut-offs have one id")
		}
		expect := func(what string, refused int) { // the first so many tokens
			t.Helper()
			for i, tok := range toks {
				if i < refused {
					h.wantRevoked(t, what, tok, o.Kind)
				} else {
					h.wantClear(t, what, tok)
				}
			}
		}
		expect("all three stand", 3)
		h.mustUndo(t, revs[1].ID)
		expect("the middle one undone", 3)
		h.mustUndo(t, revs[2].ID)
		expect("only the first stands", 1)
		if got := h.mustGet(t, revs[0].ID); !got.InForce() || got.Seq <= revs[2].Seq {
			t.Fatalf("the first one: %+v", got)
		}
		h.mustUndo(t, revs[0].ID)
		expect("all undone", 0)
		last := h.mustRevoke(t, o)
		expect("revoked again", 4)
		h.mustUndo(t, last.ID)
		expect("and undone again", 0)
	}
}

// testManyCutOffs: somebody logs out everywhere in a loop. The entry stays small,
// and what was refused stays refused.
func testManyCutOffs(t *testing.T, h Harness) {
	old := h.token(t, "j", "s", "u")
	for range 150 {
		h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u"})
	}
	h.wantRevoked(t, "the oldest session", old, revocation.KindSubject)
	p := h.mustList(t, revocation.Filter{Subject: "u"})
	if len(p.Items) < 10 || len(p.Items) > 100 {
		t.Fatalf("%d statements are kept", len(p.Items))
	}
	for i, r := range p.Items { // taking back all but the oldest that is kept
		if i < len(p.Items)-1 {
			h.mustUndo(t, r.ID)
		}
	}
	h.wantRevoked(t, "with one left", old, revocation.KindSubject)
	for range 100 { // undone ones make room first
		h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u", ExpiresAt: time.Now().Add(time.Hour)})
	}
	h.wantRevoked(t, "after more", old, revocation.KindSubject)
}
