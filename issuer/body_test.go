package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestParseForm compares with the rules of the WHATWG and of Django.
func TestParseForm(t *testing.T) {
	for in, want := range map[string]fields{
		"":                    {},
		"&&":                  {},
		"a":                   {"a": ""},
		"=":                   {"": ""},
		"a=b":                 {"a": "b"},
		"a=b=c":               {"a": "b=c"},
		"a=1&a=2&a=3":         {"a": "3"},
		"a=1&A=2":             {"a": "1", "A": "2"},
		"a=x;y&b;=1":          {"a": "x;y", "b;": "1"},
		"a=100%":              {"a": "100%"},
		"a=100%&b=%4":         {"a": "100%", "b": "%4"},
		"a=%zz%41%4a%4A%C3%A": {"a": "%zzAJJ\xc3%A"},
		"%61+b=+c%2B%26%3D":   {"a b": " c+&="},
		"a=%e2%82%ac":         {"a": "€"},
		"a=%%41":              {"a": "%A"},
		"a=%00":               {"a": "\x00"},
	} {
		if diff := cmp.Diff(want, parseForm(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func TestAcceptableReadsEveryLine(t *testing.T) {
	for want, lines := range map[bool][]string{true: {"a/b", " c/d ;q=1, */* ;q=0.1"}, false: {"a/b", "c/d"}} {
		if got := acceptable(http.Header{"Accept": lines}); got != want {
			t.Errorf("%v: %v", lines, got)
		}
	}
}

// FuzzReadJSONBody: whatever is sent as JSON, the answer is fields, or a fault in
// Django REST framework's shape. Where fields come, it was JSON.
func FuzzReadJSONBody(f *testing.F) {
	for _, seed := range []string{
		`{"username":"alice","password":"x"}`, `{"a":null,"a":1e400,"b":[true,{}],"c":"\ud800"}`, `[]`, `null`, `1`, `-0`, `"x"`, `true`,
		"\ufeff{}", "{\"a\":\"\xff\"}", `{}{}`, ` { } `, "", `{"username":"\u0000 "}`, `{"password":" \u2003"}`, strings.Repeat("[", 100),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := bodyOf("application/json", body)
		if err != nil {
			wantShape(t, err)
			return
		}
		for _, name := range []string{"username", "password"} {
			values, err := got.texts(name)
			switch {
			case err != nil:
				wantShape(t, err)
			case values[0] == "" || values[0] != strings.TrimSpace(values[0]) || strings.ContainsRune(values[0], 0) || !utf8.ValidString(values[0]):
				t.Errorf("%s is %q", name, values[0])
			}
			_ = got.truth(name)
		}
		if len(body) == 0 {
			return
		}
		if !json.Valid(body) {
			t.Errorf("fields %v of %q", got, body)
		}
	})
}

// FuzzReadForm: no form is an error, and what net/url accepts reads the same.
func FuzzReadForm(f *testing.F) {
	for _, seed := range []string{"a=b&c=d", "a=%41+%2b", "a=;b", "%", "a=%zz", "=&=", "a&b=%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := bodyOf("application/x-www-form-urlencoded", []byte(body))
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		values, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		want := fields{}
		for name, list := range values {
			want[name] = list[len(list)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-url +ours):\n%s", body, diff)
		}
	})
}

func bodyOf(contentType string, body []byte) (fields, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", contentType)
	return (&call{r: r}).readFields()
}

// wantShape fails the test unless err is {"detail": text} or {field: [text, …]}
// with a status of the client's.
func wantShape(t *testing.T, err error) {
	t.Helper()
	var f *fault
	if !errors.As(err, &f) || f.status < 400 || f.status > 499 || f.challenge {
		t.Fatalf("fault %#v", err)
	}
	encoded, err := json.Marshal(f.body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(encoded, &body); err != nil || len(body) != 1 {
		t.Fatalf("body %s: %v", encoded, err)
	}
	for name, v := range body {
		list, ok := v.([]any)
		if text := fmt.Sprint(v); name == "detail" && ok || name != "detail" && (!ok || len(list) == 0) || text == "" {
			t.Fatalf("body %s", encoded)
		}
	}
}
