// Package tollgate_test holds the tree to the rules of the house. The rules,
// with their reasons and with a proof that each can fail, are in
// internal/testkit/house.
package tollgate_test

import (
	"os"
	"testing"

	"tollgate/internal/testkit/house"
)

func TestHouse(t *testing.T) {
	tree, err := house.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range house.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, fault := range rule.Run(tree) {
				t.Error(fault)
			}
		})
	}
	for _, long := range house.Smells(tree) {
		t.Logf("%s %s: more than %d is a smell", long.Where, long.What, house.FileSmell)
	}
}
