package revocationtest

import (
	"reflect"
	"testing"
	"time"

	"tollgate/revocation"
)

// testListedAsBefore: what is put back after a loss is listed, found and undone as it
// was, where somebody has kept the words of it.
func testListedAsBefore(t *testing.T, h Harness) {
	if h.Mend == nil {
		t.Skip("this store does not put back words")
	}
	in := time.Now().Add(time.Hour)
	for _, o := range []revocation.Order{
		{Kind: revocation.KindJTI, Value: "j", Subject: "u1", Reason: "stolen", Actor: "ann"},
		{Kind: revocation.KindJTI, Issuer: foreign, Value: "j", ExpiresAt: in, Reason: "bytes \xff and \"marks\"\n", Actor: "ben"},
		{Kind: revocation.KindSigned, Value: "header.payload", ExpiresAt: in, Actor: "ann"},
		{Kind: revocation.KindSession, Value: revocation.NewSessionID(in.UnixMicro()), Subject: "u2"},
		{Kind: revocation.KindSubject, Value: "u3", Reason: "left"},
		{Kind: revocation.KindKey, Value: "k", Reason: "leaked", Actor: "cy"},
		{Kind: revocation.KindAll, Issuer: foreign, Reason: "broken into", Actor: "cy"},
	} {
		h.mustRevoke(t, o)
	}
	// What an undo has left in force has its own words, not those of what was undone.
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u4", Reason: "the first"})
	h.mustUndo(t, h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u4", Reason: "the second"}).ID)
	h.mustUndo(t, h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "again", Reason: "the first"}).ID)
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "again", Reason: "the second"})
	undone := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "undone"})
	h.mustUndo(t, undone.ID)

	before := h.byID(t)
	if len(before) != 9 {
		t.Fatalf("%d listed, %+v", len(before), before)
	}
	h.Mend(t)
	after := h.byID(t)
	for id, want := range before {
		got, ok := after[id]
		if !ok {
			t.Errorf("%s %s is not listed: %+v", want.Kind, want.Value, after)
			continue
		}
		if late := got.ExpiresAt.Sub(want.ExpiresAt); late < 0 || late > time.Second { // the feed has whole seconds
			t.Errorf("%s %s ends %s later than before", want.Kind, want.Value, late)
		}
		got.ExpiresAt, got.Seq, got.Epoch = want.ExpiresAt, want.Seq, want.Epoch
		if !reflect.DeepEqual(got, want) {
			t.Errorf("listed as %+v, before as %+v", got, want)
		}
		if _, err := h.Store.Get(t.Context(), id); err != nil {
			t.Errorf("get %s %s: %v", want.Kind, want.Value, err)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d listed, before %d: %+v", len(after), len(before), after)
	}
	p, err := h.Store.List(t.Context(), revocation.Filter{Subject: "u1"})
	if err != nil || len(p.Items) != 1 || p.Items[0].Value != "j" {
		t.Errorf("of a subject: %+v, %v", p.Items, err)
	}
	tok := h.token(t, "j", "s", "u")
	h.wantRevoked(t, "put back", tok, revocation.KindJTI)
	for id, r := range before {
		if r.Kind == revocation.KindJTI && r.Issuer == own && r.Value == "j" {
			h.mustUndo(t, id)
		}
	}
	h.wantClear(t, "undone by the id that it had", tok)
}

// byID is what is in force, as it is listed.
func (h Harness) byID(t *testing.T) map[string]revocation.Revocation {
	t.Helper()
	out := map[string]revocation.Revocation{}
	for f := (revocation.Filter{}); ; {
		p, err := h.Store.List(t.Context(), f)
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		for _, r := range p.Items {
			out[r.ID] = r
		}
		if p.Next == "" {
			return out
		}
		f.Cursor = p.Next
	}
}
