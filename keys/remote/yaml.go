package remote

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// reader turns the nodes of a YAML document into values and collects what is
// wrong with them.
type reader struct {
	who     string // the entry that is being read, for the faults
	anchors map[string]ast.Node
	faults  []error
}

// field is one member of a mapping.
type field struct {
	name  string
	key   ast.Node
	value ast.Node // anchors and aliases resolved
}

// entryPlace knows where an entry and its fields stand.
type entryPlace struct {
	entry  ast.Node
	fields map[string]ast.Node
}

// field returns the first of the fields that is there, or the entry.
func (p *entryPlace) field(names ...string) ast.Node {
	for _, name := range names {
		if n := p.fields[name]; n != nil {
			return n
		}
	}
	return p.entry
}

func (r *reader) add(at ast.Node, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r.who != "" {
		text = r.who + ": " + text
	}
	if m, ok := at.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		at = m.Values[0].Key // the token of a block mapping is its first colon
	}
	if t := at.GetToken(); t != nil && t.Position != nil {
		text = fmt.Sprintf("[%d:%d] %s", t.Position.Line, t.Position.Column, text)
	}
	r.faults = append(r.faults, fmt.Errorf("%s", text))
}

// resolve follows anchors and aliases to the node they stand for.
func (r *reader) resolve(n ast.Node) ast.Node {
	for range 8 { // an anchor may contain itself
		switch v := n.(type) {
		case *ast.AnchorNode:
			r.anchors[v.Name.GetToken().Value] = v.Value
			n = v.Value
		case *ast.AliasNode:
			next := r.anchors[v.Value.GetToken().Value]
			if next == nil {
				return n
			}
			n = next
		default:
			return n
		}
	}
	return n
}

// fields returns the members of a mapping in their order. A name that is there
// twice was refused by the parser.
func (r *reader) fields(n ast.Node) ([]field, bool) {
	m, ok := r.resolve(n).(ast.MapNode)
	if !ok {
		r.add(n, "is not a mapping of fields")
		return nil, false
	}
	var all []field
	for i := m.MapRange(); i.Next(); {
		f := field{name: i.Key().GetToken().Value, key: i.Key(), value: r.resolve(i.Value())}
		if name, ok := i.Key().(*ast.StringNode); ok {
			f.name = name.Value
		}
		all = append(all, f)
	}
	return all, true
}

func (r *reader) list(f field) ([]ast.Node, bool) {
	s, ok := f.value.(*ast.SequenceNode)
	if !ok {
		r.add(f.key, "%s is not a list", f.name)
		return nil, false
	}
	return s.Values, true
}

// text reads a string. A number or a yes is refused and not converted: 1e3 and on
// are not what somebody meant who forgot the quotes.
func (r *reader) text(f field) (string, bool) {
	var text string
	switch v := f.value.(type) {
	case *ast.StringNode:
		text = v.Value
	case *ast.LiteralNode:
		text = v.Value.Value
	default:
		r.add(f.key, "%s is not text (put it in quotes)", f.name)
		return "", false
	}
	if text == "" {
		r.add(f.key, "%s is empty", f.name)
		return "", false
	}
	return text, true
}

// texts reads a list of strings, none of them twice.
func (r *reader) texts(f field) (all []string, ok bool) {
	nodes, ok := r.list(f)
	for _, n := range nodes {
		text, read := r.text(field{name: "a member of " + f.name, key: n, value: r.resolve(n)})
		if read && slices.Contains(all, text) {
			r.add(n, "a member of %s stands there twice", f.name)
			read = false
		}
		if ok = ok && read; read {
			all = append(all, text)
		}
	}
	return all, ok
}

// types reads header types: media types compare without case, and "application/"
// may be left out (RFC 7515 section 4.1.9).
func (r *reader) types(f field) ([]string, bool) {
	all, ok := r.texts(f)
	for i, t := range all {
		all[i] = strings.TrimPrefix(strings.ToLower(t), "application/")
	}
	return all, ok
}

func (r *reader) duration(f field) (time.Duration, bool) {
	var text string
	switch v := f.value.(type) {
	case *ast.StringNode:
		text = v.Value
	case *ast.IntegerNode:
		text = v.Token.Value // 0 needs no unit
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.add(f.key, "%s is not a duration like 30s or 1h30m", f.name)
		return 0, false
	}
	return d, true
}

func (r *reader) boolean(f field) bool {
	v, ok := f.value.(*ast.BoolNode)
	if !ok {
		r.add(f.key, "%s is neither true nor false", f.name)
		return false
	}
	return v.Value
}
