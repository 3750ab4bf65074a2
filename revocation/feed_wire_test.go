package revocation

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const someDigest = "000102030405060708090a0b0c0d0e0f"

// somePacked is a record, as it is written.
const somePacked = "7 aa.1 bb " + someDigest + " session 1700000000000000 0 1700000000000001"

// inFields is the same record with a field for each word.
func inFields() []any {
	var out []any
	for i, name := range strings.Fields("n nonce prev d k cut exp at") {
		out = append(out, name, strings.Fields(somePacked)[i])
	}
	return out
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
func readBoth(id string, flat ...any) ([]told, error, told, error) {
	values := map[string]any{}
	for i := 0; i+1 < len(flat); i += 2 {
		values[flat[i].(string)] = flat[i+1]
	}
	list, err := toldRaw(nil, []byte(asRESP([]any{[]any{id, flat}})))
	one, errOne := toldMessage(redis.XMessage{ID: id, Values: values})
	return list, err, one, errOne
}

func TestReadRecord(t *testing.T) {
	want := told{
		Record: Record{N: 7, Kind: KindSession, Cut: 1700000000000000, At: 1700000000000001, Undone: 1700000000000003, Wanted: true, Below: "1600000000000001,9"},
		id:     1700000000000002, nonce: []byte("aa.1"), prev: []byte("bb"),
	}
	for i := range want.Digest {
		want.Digest[i] = byte(i)
	}
	list, err, one, errOne := readBoth("1700000000000002-0", "r", somePacked+" u=1700000000000003 later=x b=1600000000000001,9 w=1")
	if err != nil || errOne != nil {
		t.Fatal(err, errOne)
	}
	if !reflect.DeepEqual(list, []told{want}) || !reflect.DeepEqual(one, want) {
		t.Errorf("%+v\n%+v", list, one)
	}
	for _, kind := range append(Kinds(), HintRing, "ofalaterversion") {
		packed := strings.Replace(somePacked, "session", string(kind), 1)
		if list, err, one, errOne := readBoth("1-0", "r", packed); err != nil || errOne != nil || list[0].Kind != kind || one.Kind != kind {
			t.Errorf("%s: %v %v", kind, err, errOne)
		}
	}
	first := strings.Replace(somePacked, " bb ", " - ", 1)
	if list, err, one, errOne := readBoth("1-0", "r", first); err != nil || errOne != nil || len(list[0].prev) != 0 || len(one.prev) != 0 {
		t.Errorf("the first record: %v, %v", err, errOne)
	}
}

// TestReadRecordRefuses: what is written otherwise than by our scripts is an error that
// names it. It does not count as read, and the feed is not level.
func TestReadRecordRefuses(t *testing.T) {
	for what, item := range map[string][]any{
		"a field for each word": inFields(), "both": append(inFields(), "r", somePacked), "a field more": {"r", somePacked, "later", "x"},
		"another field": {"R", somePacked}, "none that is named": {"", somePacked}, "no value": {"r", ""},
	} {
		_, err, _, errOne := readBoth("5-0", item...)
		for _, err := range []error{err, errOne} {
			if !errors.Is(err, errReply) || !strings.Contains(err.Error(), `"5-0": `) || !strings.Contains(err.Error(), "run the version that wrote it") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	for _, id := range []string{"", "1", "1-1", "-0", "x-0", "1-0-0"} {
		if _, err, _, errOne := readBoth(id, "r", somePacked); !errors.Is(err, errReply) || !errors.Is(errOne, errReply) {
			t.Errorf("id %q: %v, %v", id, err, errOne)
		}
	}
}

// TestReadPackedRefuses: the same of words that are none.
func TestReadPackedRefuses(t *testing.T) {
	words := strings.Fields(somePacked)
	bad := []string{
		"", " ", somePacked + " ", " " + somePacked, strings.ReplaceAll(somePacked, " ", "  "), strings.ReplaceAll(somePacked, " ", "\t"),
		somePacked + " u", somePacked + " u=", somePacked + " u=x", somePacked + " 5", somePacked + " w=1 ",
		somePacked + " b=", somePacked + " b=5,", somePacked + " b=x", somePacked + " b=0",
	}
	for i := range words {
		without := append([]string(nil), words...)
		bad = append(bad, strings.Join(append(without[:i], without[i+1:]...), " "), strings.Join(words[:i], " "))
	}
	for i, set := range map[int][]string{
		0: {"x", "-1", "0", "1.5", "+7", "99999999999999999999"}, 1: {""}, 2: {""},
		3: {"00", strings.ToUpper(someDigest), someDigest + "00", strings.Repeat("x", 32)},
		4: {""}, 5: {"", "-1", "1.7e+15"}, 6: {"", "-1", "never"}, 7: {"", "now"},
	} {
		for _, value := range set {
			with := append([]string(nil), words...)
			with[i] = value
			bad = append(bad, strings.Join(with, " "))
		}
	}
	for _, value := range bad {
		if _, err, _, errOne := readBoth("1-0", "r", value); !errors.Is(err, errReply) || !errors.Is(errOne, errReply) {
			t.Errorf("%q: %v, %v", value, err, errOne)
		}
	}
	twice := asRESP([]any{[]any{"1-0", []any{"r", somePacked, "r", somePacked}}})
	if _, err := toldRaw(nil, []byte(twice)); !errors.Is(err, errReply) {
		t.Errorf("twice: %v", err)
	}
}

func TestReadRawRefuses(t *testing.T) {
	flat := []any{"r", somePacked}
	good := asRESP([]any{[]any{"1-0", flat}, []any{"2-0", flat}, []any{"3-0", flat}})
	if list, err := toldRaw(nil, []byte(good)); err != nil || len(list) != 3 {
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
		asRESP([]any{[]any{"1-0", append(flat, "odd")}}), asRESP([]any{[]any{"1-0", []any{}}}), asRESP([]any{[]any{"1-0", []any{"r"}}, []any{"2-0", flat}})} {
		if list, err := toldRaw(nil, []byte(bad)); err == nil {
			t.Errorf("%q: %d records", bad, len(list))
		}
	}
}

func FuzzReadRawNeverPanics(f *testing.F) {
	f.Add([]byte(asRESP([]any{[]any{"1-0", inFields()}})))
	f.Add([]byte(asRESP([]any{[]any{"1-0", []any{"r", somePacked + " u=8 w=1"}}, []any{"2-0", []any{"r", somePacked}}})))
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

// FuzzPackedIsReadAsWritten: whatever is taken for a packed record says the same when
// it is written again, and nothing else is taken for one.
func FuzzPackedIsReadAsWritten(f *testing.F) {
	for _, seed := range []string{somePacked, somePacked + " u=8 w=1", somePacked + " b=9,8", strings.Replace(somePacked, "bb", "-", 1), somePacked[:60], "r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var r told
		if err := r.unpack(value); err != nil {
			if !errors.Is(err, errReply) {
				t.Errorf("%v", err)
			}
			return
		}
		prev := string(r.prev)
		if prev == "" {
			prev = "-"
		}
		var again told
		text := fmt.Sprintf("%d %s %s %s %s %d %d %d u=%d", r.N, r.nonce, prev, r.Digest, r.Kind, r.Cut, r.ExpiresAt, r.At, r.Undone)
		if r.Below != "" {
			text += " b=" + r.Below
		}
		if r.Wanted {
			text += " w=1"
		}
		if err := again.unpack([]byte(text)); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%q: %+v, and written again %+v, %v", value, r, again, err)
		}
	})
}

func TestReadHead(t *testing.T) {
	h, err := parseHead([]any{"id", "last", "1", "2", "3", "4", "5", "6", "7", "a b", "c", "8", "9", "run 3", "1", "1"})
	if want := (feedHead{Epoch: Epoch{ID: "id", Born: 1, CompleteSince: 2, N: 3, Clock: 4, Lost: 7, From: "a b", Need: "c", Evicted: "run 3", Shut: true, Shared: true}, last: "last", trimmed: 5, mended: 6, beat: 8, confirmed: 9}); err != nil || h != want {
		t.Errorf("%+v, %v", h, err)
	}
	if h, err := parseHead(make([]any, len(headFields))); err != nil || h != (feedHead{}) {
		t.Errorf("no epoch: %+v, %v", h, err)
	}
	if _, err := parseHead([]any{"id"}); err == nil {
		t.Error("too short")
	}
	for i := range headFields {
		values := []any{"id", "last", "1", "2", "3", "4", "5", "6", "7", "a", "b", "8", "9", "run 3", "1", "1"}
		values[i] = nil
		if _, err := parseHead(values); (err == nil) != (i == 0 || i >= headAlways) {
			t.Errorf("without %s: %v", headFields[i], err)
		}
	}
	for i := range 7 {
		values := []any{"id", "last", "1", "2", "3", "4", "5", "6", "7", "a", "b", "8", "9", "run 3", "1", "1"}
		values[2+i] = "-1"
		if _, err := parseHead(values); err == nil {
			t.Errorf("field %d is -1", i)
		}
	}
}
