package token

import (
	"bytes"
	"unicode"
)

// names notices a member name that comes twice. Few names are compared one by
// one; many go through a map, so that a hostile document stays linear.
type names struct {
	fold  bool
	count int
	few   [namesInLine][]byte // in line, so that they lie on the parser's stack
	set   map[string]struct{}
}

// namesInLine is how many names are compared one by one.
const namesInLine = 16

func (n *names) add(name []byte) bool {
	if n.count >= maxMembers {
		return false
	}
	n.count++
	if n.count <= namesInLine {
		for _, other := range n.few[:n.count-1] {
			if n.equal(name, other) {
				return false
			}
		}
		n.few[n.count-1] = name
		return true
	}
	if n.set == nil {
		n.set = make(map[string]struct{}, 2*n.count)
		for _, other := range n.few {
			n.set[n.canonical(other)] = struct{}{}
		}
	}
	key := n.canonical(name)
	if _, twice := n.set[key]; twice {
		return false
	}
	n.set[key] = struct{}{}
	return true
}

func (n *names) equal(a, b []byte) bool {
	if n.fold {
		return bytes.EqualFold(a, b)
	}
	return bytes.Equal(a, b)
}

// canonical must agree with equal: simple folding maps each rune to the smallest
// of its orbit, as bytes.EqualFold does pairwise.
func (n *names) canonical(name []byte) string {
	if !n.fold {
		return string(name)
	}
	return string(bytes.Map(foldRune, name))
}

// foldRune returns the smallest rune of r's simple-folding orbit, so that two
// names are equal under bytes.EqualFold exactly when their folded forms are.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
