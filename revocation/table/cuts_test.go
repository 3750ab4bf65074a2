package table_test

import (
	"math"
	"testing"

	"tollgate/revocation/table"
)

func TestCutsPutAndSet(t *testing.T) {
	type step struct {
		set bool
		cut int64
		exp uint32
	}
	for _, tc := range []struct {
		name  string
		steps []step
		want  table.Cut
	}{
		{"one", []step{{false, 10, 5}}, table.Cut{Cut: 10, Expires: 5}},
		{"greater and later", []step{{false, 10, 5}, {false, 11, 6}}, table.Cut{Cut: 11, Expires: 6}},
		{"smaller and sooner", []step{{false, 11, 6}, {false, 10, 5}}, table.Cut{Cut: 11, Expires: 6}},
		{"greater but sooner over", []step{{false, 10, table.Forever}, {false, 11, 6}}, table.Cut{Cut: 11, Expires: table.Forever}},
		{"smaller but later over", []step{{false, 11, 6}, {false, 10, 9}}, table.Cut{Cut: 11, Expires: 9}},
		{"same, later", []step{{false, 10, 5}, {false, 10, 6}}, table.Cut{Cut: 10, Expires: 6}},
		{"set lower", []step{{false, 10, 5}, {true, 9, 4}}, table.Cut{Cut: 9, Expires: 4}},
		{"set sooner over", []step{{true, 10, 5}, {true, 10, 4}}, table.Cut{Cut: 10, Expires: 4}},
		{"nothing", []step{{false, 10, 5}, {false, 99, 0}, {true, 99, 0}}, table.Cut{Cut: 10, Expires: 5}},
		{"large", []step{{false, math.MaxInt64, 5}}, table.Cut{Cut: math.MaxInt64, Expires: 5}},
		{"negative", []step{{false, math.MinInt64, 5}, {false, -1, 5}}, table.Cut{Cut: -1, Expires: 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, d := table.NewCuts(), digest(1, 1)
			for i, s := range tc.steps {
				put := c.Put
				if s.set {
					put = c.Set
				}
				if fresh := put(d, s.cut, s.exp); fresh != (i == 0) {
					t.Errorf("step %d: fresh %t", i, fresh)
				}
			}
			if cut, exp, ok := c.Lookup(d); !ok || (table.Cut{Cut: cut, Expires: exp}) != tc.want {
				t.Errorf("got %d until %d, %t; want %+v", cut, exp, ok, tc.want)
			}
			if c.Len() != 1 {
				t.Errorf("Len %d", c.Len())
			}
		})
	}
}

func TestCutsAreSeparate(t *testing.T) {
	c := table.NewCuts()
	if c.Set(digest(1, 1), 3, 0) || c.Len() != 0 {
		t.Error("an expiry of 0 entered something")
	}
	for i := range uint64(5000) {
		c.Put(digest(1, i), int64(i), 10+uint32(i%2))
	}
	if n := c.Sweep(10, table.Shards); n != 2500 {
		t.Errorf("swept %d", n)
	}
	for i := range uint64(5000) {
		cut, exp, ok := c.Lookup(digest(1, i))
		if ok != (i%2 == 1) || ok && (cut != int64(i) || exp != 11) {
			t.Fatalf("entry %d: %d until %d, %t", i, cut, exp, ok)
		}
	}
}
