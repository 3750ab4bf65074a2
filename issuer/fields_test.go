package issuer_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
)

// endpoints are the token endpoints with the fields that they require, and what
// they answer when each field holds the word "7".
var endpoints = []struct {
	path   string
	fields []string
	seven  string
}{
	{"/api/token/", []string{"username", "password"}, noAccount},
	{"/api/token/refresh/", []string{"refresh"}, invalid},
	{"/api/token/verify/", []string{"token"}, invalid},
	{"/api/token/blacklist/", []string{"refresh"}, invalid},
}

// TestFieldFaults walks the field errors of SimpleJWT, on every field.
func TestFieldFaults(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	faults := []struct{ name, value, message string }{
		{"missing", "", "This field is required."},
		{"null", `null`, "This field may not be null."},
		{"blank", `""`, "This field may not be blank."},
		{"only white space", `" \t\u00a0\n"`, "This field may not be blank."},
		{"list", `["x"]`, "Not a valid string."},
		{"empty list", `[]`, "Not a valid string."},
		{"object", `{"x":"y"}`, "Not a valid string."},
		{"true", `true`, "Not a valid string."},
		{"false", `false`, "Not a valid string."},
		{"NUL", `"a\u0000b"`, "Null characters are not allowed."},
	}
	for _, e := range endpoints {
		for _, field := range e.fields {
			for _, f := range faults {
				t.Run(e.path+field+" "+f.name, func(t *testing.T) {
					var members []string
					for _, other := range e.fields {
						if other != field {
							members = append(members, `"`+other+`":"x"`)
						}
					}
					if f.value != "" {
						members = append(members, `"`+field+`":`+f.value)
					}
					a := k.Send(t, issuerkit.Request{Path: e.path, Type: "application/json", Body: "{" + strings.Join(members, ",") + "}"})
					want(t, a, http.StatusBadRequest, `{"`+field+`":["`+f.message+`"]}`)
				})
			}
		}
	}
	t.Run("two at once", func(t *testing.T) {
		a := k.Post(t, "/api/token/", map[string]any{"username": nil})
		both := `{"username":["This field may not be null."],"password":["This field is required."]}`
		if want(t, a, 400, both); a.Body != both { // in the serializer's order
			t.Errorf("body %s", a.Body)
		}
	})
}

// TestBodies walks the errors of SimpleJWT about a body as a whole, on every endpoint.
func TestBodies(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const multi = "multipart/form-data; boundary=B"
	for _, e := range endpoints {
		required, multiSeven := map[string][]string{}, ""
		var object, form []string
		for _, f := range e.fields {
			required[f] = []string{"This field is required."}
			object = append(object, `"`+f+`":7`)
			form = append(form, f+"=7")
			multiSeven += "--B\r\nContent-Disposition: form-data; name=\"" + f + "\"\r\n\r\n7\r\n"
		}
		encoded, err := json.Marshal(required)
		if err != nil {
			t.Fatal(err)
		}
		missing, seven, field := string(encoded), "{"+strings.Join(object, ",")+"}", e.fields[0]
		for _, row := range []struct {
			name, kind, body string
			status           int
			want             string
		}{
			{"a number is text", "application/json", seven, 401, e.seven},
			{"charset", "application/json; charset=utf-8", seven, 401, e.seven},
			{"a parameter that is none", "application/json; charset", seven, 401, e.seven},
			{"type in capitals", "Application/JSON", seven, 401, e.seven},
			{"no type", "", seven, 401, e.seven},
			{"white space around", "application/json", " \r\n" + seven + "\n", 401, e.seven},
			{"last of two counts", "application/json", strings.Replace(seven, "{", `{"`+field+`":["first"],`, 1), 401, e.seven},
			{"last of two is at fault", "application/json", strings.Replace(seven, "}", `,"`+field+`":["last"]}`, 1), 400, `{"` + field + `":["Not a valid string."]}`},
			{"names have one case", "application/json", strings.ToUpper(seven), 400, missing},
			{"unknown members are ignored", "application/json", strings.Replace(seven, "{", `{"x":{"y":[1e9]},`, 1), 401, e.seven},
			{"form", "application/x-www-form-urlencoded", strings.Join(form, "&"), 401, e.seven},
			{"form with charset", "application/x-www-form-urlencoded; charset=UTF-8", strings.Join(form, "&"), 401, e.seven},
			{"last of two in a form", "application/x-www-form-urlencoded", field + "=&&x&" + strings.Join(form, "&"), 401, e.seven},
			{"blank in a form", "application/x-www-form-urlencoded", strings.Join(form, "&") + "&" + field + "=+%20", 400, `{"` + field + `":["This field may not be blank."]}`},
			{"NUL in a form", "application/x-www-form-urlencoded", strings.Join(form, "&") + "&" + field + "=%00", 400, `{"` + field + `":["Null characters are not allowed."]}`},
			{"multipart", multi, multiSeven + "--B--\r\n", 401, e.seven},
			{"multipart of nothing", multi, "--B--\r\n", 400, missing},
			{"multipart, cut off", multi, multiSeven, 400, `{"detail":"Multipart form parse error - the form is malformed"}`},
			{"multipart without boundary", "multipart/form-data", "x", 400, `{"detail":"Multipart form parse error - Invalid boundary in multipart: None"}`},
			{"nothing", "application/json", "", 400, missing},
			{"nothing of no type", "", "", 400, missing},
			{"nothing of a type that is not read", "text/plain", "", 400, missing},
			{"empty object", "application/json", "{}", 400, missing},
			{"array", "application/json", "[]", 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
			{"string", "application/json", `"x"`, 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}`},
			{"whole number", "application/json", "1", 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}`},
			{"fraction", "application/json", "1.5", 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got float."]}`},
			{"bool", "application/json", "false", 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}`},
			{"null", "application/json", "null", 400, `{"non_field_errors":["No data provided"]}`},
			{"another type", "text/plain", seven, 415, `{"detail":"Unsupported media type \"text/plain\" in request."}`},
			{"XML", "application/xml", "<a/>", 415, `{"detail":"Unsupported media type \"application/xml\" in request."}`},
			{"a type that is none", "json", seven, 415, `{"detail":"Unsupported media type \"json\" in request."}`},
			{"too large", "application/json", `{"x":"` + strings.Repeat("x", 64<<10) + `"}`, 413, `{"detail":"The request body is too large."}`},
		} {
			t.Run(e.path+" "+row.name, func(t *testing.T) {
				want(t, k.Send(t, issuerkit.Request{Path: e.path, Type: row.kind, Body: row.body}), row.status, row.want)
			})
		}
		for name, body := range map[string]string{
			"cut off": `{"a":`, "byte order mark": "\ufeff" + seven, "two documents": seven + seven, "comma at the end": `{"a":1,}`,
			"not UTF-8": "{\"a\":\"caf\xe9\"}", "only white space": "  ", "NaN": `{"a":NaN}`, "single quotes": `{'a':1}`,
			"ten thousand deep": strings.Repeat("[", 20000),
		} {
			t.Run(e.path+" "+name, func(t *testing.T) {
				a := k.Send(t, issuerkit.Request{Path: e.path, Type: "application/json", Body: body}).Must(t, http.StatusBadRequest)
				if detail, _ := a.Map(t)["detail"].(string); !strings.HasPrefix(detail, "JSON parse error - ") {
					t.Errorf("body %s", a.Body)
				}
				wantHeaders(t, a)
			})
		}
	}
}

// TestTrimming: white space around every field goes, as in a CharField, and what
// people have in passwords comes through every kind of body unharmed.
func TestTrimming(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	const multi = "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n alice\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + issuerkit.Password + "\t\r\n--B--\r\n"
	for _, row := range []struct {
		name, path, kind, body string
		status                 int
	}{
		{"name and password", "/api/token/", "application/json", `{"username":"\u3000alice\n","password":"  ` + issuerkit.Password + ` "}`, 200},
		{"inside it stays", "/api/token/", "application/json", `{"username":"al ice","password":"` + issuerkit.Password + `"}`, 401},
		{"the name has its case", "/api/token/", "application/json", `{"username":"Alice","password":"` + issuerkit.Password + `"}`, 401},
		{"escaped form", "/api/token/", "application/x-www-form-urlencoded", "username=+alice+&password=correct+horse%3B%20battery+100%25+staple%0a", 200},
		{"form as curl sends it", "/api/token/", "application/x-www-form-urlencoded", "username=alice&password=" + issuerkit.Password, 200},
		{"form with the query of a broken client", "/api/token/?a=%zz;b", "application/x-www-form-urlencoded", "username=alice&password=" + issuerkit.Password, 200},
		{"multipart", "/api/token/?a=%zz;b", "multipart/form-data; boundary=B", multi, 200},
		{"token to verify", "/api/token/verify/", "application/json", `{"token":" ` + pair.Access + `\r\n"}`, 200},
		{"token to refresh", "/api/token/refresh/", "application/x-www-form-urlencoded", "refresh=%09" + pair.Refresh + "+", 200},
		{"fields in the query do not count", "/api/token/?username=alice&password=x", "application/json", `{}`, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := k.Send(t, issuerkit.Request{Path: row.path, Type: row.kind, Body: row.body}).Must(t, row.status)
			wantHeaders(t, a)
		})
	}
}
