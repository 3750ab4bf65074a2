package token

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// documents are where the fuzzer starts, and the plain tests too.
var documents = [...]string{
	`{}`, ` {"a" : 1 , "b":[1,"x",null,true,false,{"c":-0.5e+10}] } `, `{"\u0061\ud83d\ude00\"\\\/\b\f\n\r\t":"\u00e9\u0000"}`,
	`{"exp":1800000300.5,"EXP":1}`, `{"a":{"b":1,"B":2}}`, `{"a":{"b":1,"b":2}}`, "{\"\u212a\":1,\"k\":2}", "{\"a\":\"\xff\"}", "\ufeff{}",
	`{"a":"\`, `{"a":"\u12`, `{"a":"\ud800\udc00"}`, `{"a":"\udc00"}`, `{"a":"\ud800`, `{"a":01}`, `{"a":1e}`, `{"a":-}`, `{"a":nul}`, `{"a":1,}`, `{"a":1}}`, `{"a"`, `{"a":`,
	`{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}`, `{"a":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}`, `[{}]`, `"x"`, ``, ` `, `{"a":"` + "\t" + `"}`, `{"":""}`,
}

// TestParseObjectNeedsNoRoom: with nothing behind the document a step too far is
// a panic and not a zero byte. An escape that the document's end cuts once was.
func TestParseObjectNeedsNoRoom(t *testing.T) {
	const full = ` {"\ud83d\ude00":"\u00e9\n","b":[-1.5e+3,true,false,null,{"c":"\""}] , "d" : 0 } `
	for i := range len(full) + 1 {
		for _, tail := range []string{"", `\`, `"`, `\u`, `\ud83d\`, "-", "1.", "n", "\x00"} {
			doc := slices.Clip([]byte(full[:i] + tail))
			checkObject(t, doc)
		}
	}
	for _, doc := range documents {
		checkObject(t, slices.Clip([]byte(doc)))
	}
}

func TestParseObjectHoldsTheMembers(t *testing.T) {
	o, err := parseObject([]byte("\t{ \"b\" : [ 1 , 2 ] ,\r\n\"\\u0061\":\"\\u0078\" } "))
	if err != nil || len(o) != 2 {
		t.Fatalf("%v, %v", o, err)
	}
	b, _ := o.get("b")
	a, found := o.get("a")
	if text, ok := a.text(); !found || !ok || text != "x" || string(b.raw) != "[ 1 , 2 ]" || b.kind != kindArray {
		t.Errorf("a %q, b %q", text, b.raw)
	}
	if _, found := o.get("A"); found {
		t.Error("get folds case")
	}
	if _, ok := b.text(); ok {
		t.Error("an array has a text")
	}
	if _, ok := a.float(); ok {
		t.Error("a string has a number")
	}
	if _, ok := a.strings(); ok {
		t.Error("a string has elements")
	}
	if _, ok := b.strings(); ok {
		t.Error("numbers are strings")
	}
}

// TestFoldRune: two runes fold alike exactly when Unicode's simple folding says
// so, which is what encoding/json goes by.
func TestFoldRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		least := foldRune(r)
		if least > r || foldRune(least) != least || foldRune(unicode.SimpleFold(r)) != least {
			t.Fatalf("%U folds to %U", r, least)
		}
		if least != r && !strings.EqualFold(string(r), string(least)) {
			t.Fatalf("%U folds to %U, strings.EqualFold says no", r, least)
		}
	}
}

// FuzzParseObjectAgreesWithEncodingJSON: what parseObject accepts encoding/json
// accepts too, with equal members; what it refuses beyond that has one of the
// documented reasons.
func FuzzParseObjectAgreesWithEncodingJSON(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { checkObject(t, slices.Clip(doc)) })
}

func checkObject(t *testing.T, doc []byte) {
	t.Helper()
	o, err := parseObject(doc)
	if err != nil {
		if o != nil {
			t.Errorf("%q: members beside an error", doc)
		}
		if !refusable(doc) {
			t.Errorf("%q was refused without a reason", doc)
		}
		return
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var want map[string]any
	if err := dec.Decode(&want); err != nil {
		t.Fatalf("%q: encoding/json says %v", doc, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("%q: something follows the object", doc)
	}
	if len(want) != len(o) {
		t.Errorf("%q: %d members, encoding/json has %d", doc, len(o), len(want))
	}
	for _, m := range o {
		one := json.NewDecoder(bytes.NewReader(m.raw))
		one.UseNumber()
		var got any
		if err := one.Decode(&got); err != nil || !reflect.DeepEqual(got, want[string(m.name)]) {
			t.Errorf("%q: member %q is %v, encoding/json has %v (%v)", doc, m.name, got, want[string(m.name)], err)
		}
		checkValue(t, m, want[string(m.name)])
	}
}

// checkValue compares the accessors with the value of encoding/json.
func checkValue(t *testing.T, m member, want any) {
	t.Helper()
	text, isText := m.text()
	if s, ok := want.(string); ok != isText || s != text {
		t.Errorf("%q: text %q, %v", m.raw, text, isText)
	}
	if n, ok := want.(json.Number); ok {
		f, wrong := n.Float64()
		if got, ok := m.float(); ok != (wrong == nil) || ok && got != f {
			t.Errorf("%q: number %v, %v", m.raw, got, ok)
		}
	}
	list, isList := m.strings()
	elements, ok := want.([]any)
	for i, e := range elements {
		s, isString := e.(string)
		if ok = ok && isString; ok && isList && (i >= len(list) || list[i] != s) {
			t.Errorf("%q: elements %q", m.raw, list)
		}
	}
	if ok != isList || ok && len(list) != len(elements) {
		t.Errorf("%q: elements %q, %v", m.raw, list, isList)
	}
}

// refusable says by encoding/json's tokens whether a document may be refused: no
// object, no UTF-8, half a surrogate pair, a name twice, too deep, too large.
func refusable(doc []byte) bool {
	if !json.Valid(doc) || !utf8.Valid(doc) || bytes.Contains(bytes.ToLower(doc), []byte(`\ud`)) || !bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{")) {
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	type level struct {
		names  []string // nil in an array
		inName bool
	}
	var stack []*level
	for {
		token, err := dec.Token()
		if err != nil {
			return err != io.EOF
		}
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		if name, ok := token.(string); ok && top != nil && top.inName {
			same := func(other string) bool { return name == other || len(stack) == 1 && strings.EqualFold(name, other) }
			if slices.ContainsFunc(top.names, same) || len(top.names) >= maxMembers {
				return true
			}
			top.names, top.inName = append(top.names, name), false
			continue
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if top != nil {
				top.inName = top.names != nil
			}
			stack = append(stack, &level{})
			if token == json.Delim('{') {
				*stack[len(stack)-1] = level{names: []string{}, inName: true}
			}
			if len(stack) > maxDepth+1 {
				return true
			}
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		default:
			if top != nil {
				top.inName = top.names != nil
			}
		}
	}
}
