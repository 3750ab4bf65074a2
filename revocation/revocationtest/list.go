package revocationtest

import (
	"errors"
	"fmt"
	"testing"

	"tollgate/revocation"
)

func testListFilters(t *testing.T, h Harness) {
	if p := h.mustList(t, revocation.Filter{}); len(p.Items) != 0 || p.Next != "" {
		t.Fatalf("an empty store lists %+v", p)
	}
	orders := []revocation.Order{
		{Kind: revocation.KindJTI, Value: "j1", Subject: "alice"},
		{Kind: revocation.KindJTI, Value: "j2", Subject: "bob"},
		{Kind: revocation.KindSession, Value: "s1", Subject: "alice"},
		{Kind: revocation.KindSubject, Value: "alice"},
		{Kind: revocation.KindSubject, Value: "alice"},
		{Kind: revocation.KindSubject, Value: "alice", Issuer: foreign},
		{Kind: revocation.KindKey, Value: "k"},
		{Kind: revocation.KindAll},
		{Kind: revocation.KindSigned, Value: "h.p", Subject: "bob"},
	}
	var revs []revocation.Revocation
	for _, o := range orders {
		revs = append(revs, h.mustRevoke(t, o))
	}
	h.mustUndo(t, revs[6].ID)
	tests := []struct {
		name   string
		filter revocation.Filter
		want   []int // indices of orders, newest record first
	}{
		{"everything in force", revocation.Filter{}, []int{8, 7, 5, 4, 3, 2, 1, 0}},
		{"and undone", revocation.Filter{Undone: true}, []int{6, 8, 7, 5, 4, 3, 2, 1, 0}},
		{"kind", revocation.Filter{Kind: revocation.KindJTI}, []int{1, 0}},
		{"subject", revocation.Filter{Subject: "alice"}, []int{5, 4, 3, 2, 0}},
		{"kind and subject", revocation.Filter{Kind: revocation.KindSubject, Subject: "alice"}, []int{5, 4, 3}},
		{"issuer", revocation.Filter{Issuer: foreign}, []int{5}},
		{"nothing", revocation.Filter{Subject: "carol"}, nil},
		{"part of a name", revocation.Filter{Subject: "ali"}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := h.mustList(t, tc.filter)
			var got []int
			for _, item := range p.Items {
				for i, r := range revs {
					if item.ID == r.ID {
						got = append(got, i)
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) || len(p.Items) != len(got) {
				t.Errorf("lists %v, want %v", got, tc.want)
			}
			for _, item := range p.Items {
				if again := h.mustGet(t, item.ID); again != item {
					t.Errorf("listed %+v, get %+v", item, again)
				}
			}
		})
	}
	for _, f := range []revocation.Filter{{Cursor: "x"}, {Cursor: "1"}, {Cursor: "0-0"}, {Cursor: "-1-2"}, {Cursor: "1-2-3"}, {Cursor: "01-2"}, {Kind: "token"}} {
		if _, err := h.Store.List(t.Context(), f); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("filter %+v: %v", f, err)
		}
	}
}

func testListPages(t *testing.T, h Harness) {
	const many = 157
	made := map[string]bool{}
	for i := range many { // every fifth is a further cut-off of one subject: one entry
		o := revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint("j", i)}
		if i%5 == 0 {
			o = revocation.Order{Kind: revocation.KindSubject, Value: "u"}
		}
		made[h.mustRevoke(t, o).ID] = true
	}
	for _, limit := range []int{1, 7, 50, many - 1, many, 0, revocation.MaxLimit + 1} {
		seen, cursor := map[string]bool{}, ""
		for pages := 0; ; pages++ {
			if pages > many+5 {
				t.Fatalf("limit %d: the list does not end", limit)
			}
			p := h.mustList(t, revocation.Filter{Limit: limit, Cursor: cursor})
			most := limit
			switch {
			case limit == 0:
				most = revocation.DefaultLimit
			case limit > revocation.MaxLimit:
				most = revocation.MaxLimit
			}
			if len(p.Items) > most {
				t.Fatalf("limit %d: a page of %d", limit, len(p.Items))
			}
			for _, item := range p.Items {
				if seen[item.ID] {
					t.Fatalf("limit %d: %s twice", limit, item.ID)
				}
				seen[item.ID] = true
			}
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if missing := len(made) - len(seen); missing != 0 {
			t.Errorf("limit %d: %d are missing", limit, missing)
		}
	}
}
