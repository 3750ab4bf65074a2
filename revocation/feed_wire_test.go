package revocation

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const someDigest = "000102030405060708090a0b0c0d0e0f"

// someRecord is a record's fields, as they are written.
func someRecord() map[string]string {
	return map[string]string{"n": "7", "nonce": "aa.1", "prev": "bb", "d": someDigest, "k": "session", "cut": "1700000000000000", "exp": "0", "at": "1700000000000001"}
}

// asRESP writes nested lists of texts as Redis does.
func asRESP(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("$%d\r\n%s\r\n", len(v), v)
	case []any:
		out := fmt.Sprintf("*%d\r\n", len(v))
		for _, e := range v {
			out += asRESP(e)
		}
		return out
	}
	panic(fmt.Sprintf("resp of %T", v))
}

// readBoth reads a record from a reply to XRANGE and as go-redis hands it over.
func readBoth(id string, fields map[string]string) ([]told, error, told, error) {
	values, flat := map[string]any{}, []any{}
	for name, value := range fields {
		values[name] = value
		flat = append(flat, name, value)
	}
	list, err := toldRaw(nil, []byte(asRESP([]any{[]any{id, flat}})))
	one, errOne := toldMessage(redis.XMessage{ID: id, Values: values})
	return list, err, one, errOne
}

func TestReadRecord(t *testing.T) {
	fields := someRecord()
	fields["later"], fields["u"] = "a field of a later version", "1700000000000003"
	list, err, one, errOne := readBoth("1700000000000002-0", fields)
	if err != nil || errOne != nil {
		t.Fatal(err, errOne)
	}
	want := told{
		Record: Record{N: 7, Kind: KindSession, Cut: 1700000000000000, At: 1700000000000001, Undone: 1700000000000003},
		id:     1700000000000002, nonce: []byte("aa.1"), prev: []byte("bb"),
	}
	for i := range want.Digest {
		want.Digest[i] = byte(i)
	}
	if !reflect.DeepEqual(list, []told{want}) || !reflect.DeepEqual(one, want) {
		t.Errorf("%+v\n%+v", list, one)
	}
	for _, kind := range append(Kinds(), "of a later version") {
		fields["k"] = string(kind)
		if list, err, one, errOne := readBoth("1-0", fields); err != nil || errOne != nil || list[0].Kind != kind || one.Kind != kind {
			t.Errorf("%s: %v %v", kind, err, errOne)
		}
	}
}

// TestReadRecordRefuses: what is not a record of ours is an error. It does not
// count as read, and the feed is not level.
func TestReadRecordRefuses(t *testing.T) {
	for name := range someRecord() {
		fields := someRecord()
		delete(fields, name)
		if _, err, _, errOne := readBoth("1-0", fields); err == nil || errOne == nil {
			t.Errorf("without %s: %v, %v", name, err, errOne)
		}
	}
	for what, set := range map[string][]string{
		"n":     {"", "x", "-1", "0", "1.5", "99999999999999999999"},
		"nonce": {""},
		"d":     {"", "00", strings.ToUpper(someDigest), someDigest + "00", strings.Repeat("x", 32)},
		"cut":   {"", "-1", "1.7e+15"},
		"exp":   {"", "-1"},
		"at":    {"", "now"},
		"id":    {"", "1", "1-1", "-0", "x-0", "1-0-0"},
	} {
		for _, value := range set {
			id, fields := "1-0", someRecord()
			if what == "id" {
				id = value
			} else {
				fields[what] = value
			}
			if _, err, _, errOne := readBoth(id, fields); err == nil || errOne == nil {
				t.Errorf("%s %q: %v, %v", what, value, err, errOne)
			}
		}
	}
}

func TestReadRawRefuses(t *testing.T) {
	var flat []any
	for name, value := range someRecord() {
		flat = append(flat, name, value)
	}
	good := asRESP([]any{[]any{"1-0", flat}, []any{"2-0", flat}})
	if list, err := toldRaw(nil, []byte(good)); err != nil || len(list) != 2 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	if list, err := toldRaw(nil, []byte("*0\r\n")); err != nil || len(list) != 0 {
		t.Fatalf("no records: %d, %v", len(list), err)
	}
	for cut := range len(good) {
		if list, err := toldRaw(nil, []byte(good[:cut])); err == nil {
			t.Fatalf("cut off after %q: %d records", good[:cut], len(list))
		}
	}
	for _, bad := range []string{good + "x", "*-1\r\n", "$0\r\n\r\n", ":1\r\n", "*1\r\n*-1\r\n", "*1\r\n*1\r\n$3\r\n1-0\r\n", "*99999999999999999999\r\n",
		"*2\r\n" + asRESP([]any{"1-0", flat}), strings.Replace(good, "$3\r\n1-0", "$-3\r\n1-0", 1), asRESP([]any{[]any{"1-0", flat, "x"}}),
		asRESP([]any{[]any{"1-0", append(flat, "odd")}})} {
		if list, err := toldRaw(nil, []byte(bad)); err == nil {
			t.Errorf("%q: %d records", bad, len(list))
		}
	}
}

func FuzzReadRawNeverPanics(f *testing.F) {
	var flat []any
	for name, value := range someRecord() {
		flat = append(flat, name, value)
	}
	f.Add([]byte(asRESP([]any{[]any{"1-0", flat}})))
	f.Add([]byte("*1\r\n*2\r\n$3\r\n1-0\r\n*999999999\r\n"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		list, err := toldRaw(nil, reply)
		for _, r := range list {
			if err == nil && (r.N == 0 || r.id < 0 || len(r.nonce) == 0) {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestReadHead(t *testing.T) {
	h, err := parseHead([]any{"id", "last", "1", "2", "3", "4", "5", "6", "7", "a b", "c", "8", "9"})
	if want := (feedHead{Epoch: Epoch{ID: "id", Born: 1, CompleteSince: 2, N: 3, Clock: 4, Lost: 7, From: "a b", Need: "c"}, last: "last", trimmed: 5, mended: 6, beat: 8, confirmed: 9}); err != nil || h != want {
		t.Errorf("%+v, %v", h, err)
	}
	if h, err := parseHead(make([]any, len(headFields))); err != nil || h != (feedHead{}) {
		t.Errorf("no epoch: %+v, %v", h, err)
	}
	if _, err := parseHead([]any{"id"}); err == nil {
		t.Error("too short")
	}
	for i := range 7 {
		values := []any{"id", "last", "1", "2", "3", "4", "5", "6", "7", "a", "b", "8", "9"}
		values[2+i] = "-1"
		if _, err := parseHead(values); err == nil {
			t.Errorf("field %d is -1", i)
		}
	}
}
