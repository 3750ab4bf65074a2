package revocationtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tollgate/revocation"
)

func testKinds(t *testing.T, h Harness) {
	tests := []struct {
		kind    revocation.Kind
		value   string
		spared  func(*revocation.Token) // makes a token of the same session that is not meant
		subject string                  // in the revocation
	}{
		{revocation.KindJTI, "j", func(k *revocation.Token) { k.JTI = "J" }, ""},
		{revocation.KindSession, "s", func(k *revocation.Token) { k.SID = "s2" }, ""},
		{revocation.KindKey, "k", func(k *revocation.Token) { k.KeyID = "k2" }, ""},
		{revocation.KindSubject, "u", func(k *revocation.Token) { k.Subject = "u2" }, "u"},
		{revocation.KindAll, "", func(k *revocation.Token) { k.Issuer = foreign; k.Own = false }, ""},
	}
	for _, tc := range tests {
		t.Run(string(tc.kind), func(t *testing.T) {
			tag := string(tc.kind) + "-"
			tok := h.token(t, tag+"j", tag+"s", tag+"u")
			tok.KeyID = tag + "k"
			other := *tok
			tc.spared(&other)
			value := tc.value
			if value != "" {
				value = tag + value
			}
			h.wantClear(t, "before", tok)
			before := h.birth(t)
			r := h.mustRevoke(t, revocation.Order{Kind: tc.kind, Value: value, Reason: "r", Actor: "a"})
			h.wantRevoked(t, "after", tok, tc.kind)
			h.wantClear(t, "another", &other)

			if r.Kind != tc.kind || r.Issuer != own || r.Value != value || r.Reason != "r" || r.Actor != "a" || !r.InForce() {
				t.Errorf("revocation %+v", r)
			}
			if tc.subject != "" && r.Subject != tag+tc.subject {
				t.Errorf("subject %q", r.Subject)
			}
			if at := r.RevokedAt.UnixMicro(); at <= before || at >= h.birth(t) {
				t.Errorf("revoked at %d, not between the store times around it", at)
			}
			if got := h.mustGet(t, r.ID); got != r {
				t.Errorf("get %+v, revoke said %+v", got, r)
			}
			if at, digest := fmt.Sprint(r.RevokedAt.UnixMicro()), revocation.DigestOf(own, tc.kind, value); r.ID != digest.String()+"-"+at {
				t.Errorf("id %q", r.ID)
			}
			h.mustUndo(t, r.ID) // kind all must not reach into the next case
		})
	}
}

func testSigned(t *testing.T, h Harness) {
	tok := h.token(t, "", "s", "u")
	tok.Signed = []byte("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0")
	twin := *tok
	twin.Signed = []byte("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ2In0")
	r := h.mustRevoke(t, revocation.Order{Kind: revocation.KindSigned, Value: string(tok.Signed)})
	h.wantRevoked(t, "the token", tok, revocation.KindSigned)
	h.wantClear(t, "another", &twin)
	if r.Value != "" || h.mustGet(t, r.ID).Value != "" {
		t.Error("the signed part is kept")
	}
	// A token that has a jti is known by it; its signed part is not looked at.
	tok.JTI = "j"
	h.wantClear(t, "with a jti", tok)
	h.mustUndo(t, r.ID)
	tok.JTI = ""
	h.wantClear(t, "undone", tok)
}

func testIssuers(t *testing.T, h Harness) {
	tok := h.token(t, "j", "s", "u")
	stranger := *tok
	stranger.Issuer, stranger.Own = foreign, false
	for _, o := range []revocation.Order{
		{Kind: revocation.KindJTI, Value: "j"}, {Kind: revocation.KindSession, Value: "s"},
		{Kind: revocation.KindSubject, Value: "u"}, {Kind: revocation.KindKey, Value: "key-1"}, {Kind: revocation.KindAll, Value: own},
	} {
		h.mustRevoke(t, o)
	}
	h.wantRevoked(t, "ours", tok, revocation.KindJTI)
	h.wantClear(t, "theirs", &stranger)
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Issuer: foreign, Value: "j"})
	h.wantRevoked(t, "theirs, revoked", &stranger, revocation.KindJTI)
	tok.Issuer = "" // the same as our own
	h.wantRevoked(t, "of no named issuer", tok, revocation.KindJTI)
}

func testEmptyToken(t *testing.T, h Harness) {
	h.wantUnknown(t, "no token", nil, revocation.CauseUnreachable)
	tok := &revocation.Token{Issuer: foreign}
	h.wantClear(t, "nothing is known of it", tok)
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindAll, Issuer: foreign})
	h.wantRevoked(t, "a cut-off of its issuer", tok, revocation.KindAll)
}

func testHostileIDs(t *testing.T, h Harness) {
	ids := []string{
		"\x00", "a\x00b", "a", "{rev}", "}:e:{", "tg:{rev}:epoch", "*", "a\r\nDEL x\r\n", "' or 1", "\xff\xfe\x80",
		"\u202e\u0000é", "e\u0301", "\u00e9", "😀", " ", "a ", strings.Repeat("x", revocation.MaxText),
		strings.Repeat("x", revocation.MaxText-1), `"];redis.call('FLUSHALL')--`, "1e15", "001", "1",
	}
	for i, id := range ids { // each is one id of its own, whatever the others are
		tok := h.token(t, id, id, id)
		tok.KeyID = id
		h.wantClear(t, fmt.Sprintf("%q before", id), tok)
		for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSession, revocation.KindSubject, revocation.KindKey} {
			r := h.mustRevoke(t, revocation.Order{Kind: kind, Value: id, Subject: id, Reason: id, Actor: id})
			if r.Value != id || r.Subject != id || r.Reason != strings.ToValidUTF8(id, "\uFFFD") || r.Actor != r.Reason {
				t.Fatalf("%q: came back as %+v", id, r)
			}
			if got := h.mustGet(t, r.ID); got != r {
				t.Fatalf("%q: get %+v, revoke said %+v", id, got, r)
			}
			h.wantRevoked(t, fmt.Sprintf("%q", id), tok, kind)
			if undone := h.mustUndo(t, r.ID); undone.Reason != r.Reason || undone.Actor != r.Actor {
				t.Fatalf("%q: undone as %+v", id, undone)
			}
		}
		h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: id})
		for _, later := range ids[i+1:] {
			h.wantClear(t, fmt.Sprintf("%q after %q", later, id), h.token(t, later, later, later))
		}
	}
	huge := strings.Repeat("h", 1<<20)
	h.wantClear(t, "ids of a megabyte", h.token(t, huge, huge, huge))
}

func testInvalidOrders(t *testing.T, h Harness) {
	long := strings.Repeat("x", revocation.MaxText+1)
	for name, o := range map[string]revocation.Order{
		"no kind":       {Value: "v"},
		"unknown kind":  {Kind: "token", Value: "v"},
		"kind in caps":  {Kind: "JTI", Value: "v"},
		"no value":      {Kind: revocation.KindSubject},
		"all of a user": {Kind: revocation.KindAll, Value: "u"},
		"long value":    {Kind: revocation.KindJTI, Value: long},
		"long signed":   {Kind: revocation.KindSigned, Value: strings.Repeat("x", revocation.MaxSigned+1)},
		"long issuer":   {Kind: revocation.KindJTI, Value: "v", Issuer: long},
		"long subject":  {Kind: revocation.KindJTI, Value: "v", Subject: long},
		"long reason":   {Kind: revocation.KindJTI, Value: "v", Reason: long},
		"long actor":    {Kind: revocation.KindJTI, Value: "v", Actor: long},
	} {
		if r, err := h.Store.Revoke(t.Context(), o); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %+v, %v", name, r, err)
		} else if strings.Contains(err.Error(), "xxx") {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
	}
	if p := h.mustList(t, revocation.Filter{}); len(p.Items) != 0 {
		t.Errorf("something was written: %+v", p.Items)
	}
}
