package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/contract"
)

const document = `
openapi: 3.1.0
info: { title: t, version: v }
paths:
  /things:
    post:
      parameters:
        - { $ref: "#/components/parameters/Key" }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Order" }, example: { name: a } } }
      responses:
        "201":
          description: d
          headers: { X-Again: { schema: { type: string, const: "true" } } }
          content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } }
        "400": { $ref: "#/components/responses/Bad" }
  /things/{id}:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer, maximum: 10 } }
      responses:
        "200": { description: d, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } }
        "204": { description: d }
        "203": { description: d, content: { application/x-ndjson: { schema: { $ref: "#/components/schemas/Thing" } } } }
        "206": { description: d, content: { application/yaml: { schema: { type: string, minLength: 2 } } } }
components:
  parameters:
    Key: { name: Key, in: header, schema: { type: string, pattern: "^[a-z]+$" } }
  responses:
    Bad: { description: d, content: { application/problem+json: { schema: { $ref: "#/components/schemas/Problem" } } } }
  schemas:
    Problem: { type: object, required: [code], properties: { code: { type: string, enum: [a, b] } } }
    Order: { type: object, additionalProperties: false, required: [name], properties: { name: { type: string } } }
    Thing:
      type: object
      required: [id, inner]
      properties:
        id: { type: string }
        at: { type: string, format: date-time }
        inner: { type: object, properties: { n: { type: integer } } }
        free: { type: object, additionalProperties: true }
`

func mustLoad(t *testing.T, text string) *contract.Document {
	t.Helper()
	d, err := contract.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFaults: what is as described has none, and each way to be otherwise is named.
func TestFaults(t *testing.T) {
	d := mustLoad(t, document)
	const json, problem, thing = "application/json", "application/problem+json", `{"id":"1","inner":{}}`
	for name, row := range map[string]struct {
		method, target, body string
		header               string
		status               int
		media, answer        string
		want                 string // "": none
	}{
		"as described":             {"POST", "/things", `{"name":"a"}`, "k", 201, json + "; charset=utf-8", `{"id":"1","inner":{"n":1},"free":{"x":1},"at":"2026-01-31T12:00:00Z"}`, ""},
		"a refusal":                {"POST", "/things", `{"nam":1}`, "K", 400, problem, `{"code":"a"}`, ""},
		"a path with a parameter":  {"GET", "/things/a%2Fb?limit=3&x=y", "", "", 200, json, thing, ""},
		"no body":                  {"GET", "/things/1", "", "", 204, "", "", ""},
		"another media type":       {"GET", "/things/1", "", "", 206, "application/yaml", "yes", ""},
		"an unknown path":          {"GET", "/strange", "", "", 404, problem, `{"code":"a"}`, ""},
		"an unknown method":        {"PUT", "/things", "", "", 405, problem, `{"code":"a"}`, ""},
		"lines":                    {"GET", "/things/1", "", "", 203, "application/x-ndjson", thing + "\n" + thing + "\n", ""},
		"a line with more":         {"GET", "/things/1", "", "", 203, "application/x-ndjson", thing + "\n" + `{"id":"1","inner":{},"new":1}`, "'new'"},
		"a line that is cut off":   {"GET", "/things/1", "", "", 203, "application/x-ndjson", thing + "\n{", "not JSON"},
		"not allowed":              {"PUT", "/strange", "", "", 403, problem, `{"code":"a"}`, ""},
		"nobody":                   {"PUT", "/strange", "", "", 401, problem, `{"code":"a"}`, ""},
		"HEAD":                     {"HEAD", "/things", "", "", 405, "", "", ""},
		"an endpoint not there":    {"GET", "/strange", "", "", 200, json, `{}`, "not described"},
		"a method not there":       {"GET", "/things", "", "", 200, json, `{}`, "not described"},
		"an empty parameter":       {"GET", "/things/", "", "", 200, json, thing, "not described"},
		"a status not there":       {"POST", "/things", `{"name":"a"}`, "", 202, json, thing, "202 is not listed"},
		"an unknown member":        {"GET", "/things/1", "", "", 200, json, `{"id":"1","inner":{},"new":1}`, "'new'"},
		"one further in":           {"GET", "/things/1", "", "", 200, json, `{"id":"1","inner":{"m":1}}`, "'m'"},
		"a missing member":         {"GET", "/things/1", "", "", 200, json, `{"id":"1"}`, "inner"},
		"a wrong type":             {"GET", "/things/1", "", "", 200, json, `{"id":1,"inner":{}}`, "string"},
		"a time that is none":      {"GET", "/things/1", "", "", 200, json, `{"id":"1","inner":{},"at":"today"}`, "date-time"},
		"another code":             {"POST", "/things", "", "", 400, problem, `{"code":"c"}`, "one of"},
		"a page in HTML":           {"POST", "/things", "", "", 400, "text/html", `<p>`, "media type"},
		"no media type":            {"POST", "/things", "", "", 400, "", `{"code":"a"}`, "media type"},
		"no JSON":                  {"POST", "/things", "", "", 400, problem, `{`, "not JSON"},
		"a body where none is":     {"GET", "/things/1", "", "", 204, "", "x", "has a body"},
		"a short text":             {"GET", "/things/1", "", "", 206, "application/yaml", "x", "minLength"},
		"a request's strange word": {"POST", "/things", `{"name":"a","x":1}`, "", 201, json, thing, "'x'"},
		"a request without a body": {"POST", "/things", "", "", 201, json, thing, "no body"},
		"a header of a request":    {"POST", "/things", `{"name":"a"}`, "K", 201, json, thing, "header Key"},
		"a header of an answer":    {"POST", "/things", `{"name":"a"}`, "no", 201, json, thing, "header X-Again"},
		"a parameter too large":    {"GET", "/things/1?limit=11", "", "", 200, json, thing, "parameter limit"},
	} {
		t.Run(name, func(t *testing.T) {
			x := contract.Exchange{
				Method: row.method, Target: row.target, Body: row.body, Header: http.Header{}, Status: row.status,
				AnswerHeader: http.Header{"Content-Type": {row.media}}, Answer: row.answer,
			}
			switch row.header {
			case "":
			case "no":
				x.AnswerHeader.Set("X-Again", "no")
			default:
				x.Header.Set("Key", row.header)
			}
			faults := d.Faults(x)
			if row.want == "" && len(faults) > 0 || row.want != "" && !strings.Contains(strings.Join(faults, "\n"), row.want) {
				t.Errorf("faults %q, want %q", faults, row.want)
			}
		})
	}
}

// TestLoad: what is no document, and an example that is not as its schema says.
func TestLoad(t *testing.T) {
	for name, text := range map[string]string{
		"not YAML":                "a: [",
		"no object":               "[]",
		"an example":              strings.Replace(document, "example: { name: a }", "example: { nam: a }", 1),
		"a reference":             strings.Replace(document, "schemas/Order\" }, example", "schemas/Odre\" }, example", 1),
		"a parameter of no path":  strings.Replace(document, "name: id, in: path", "name: di, in: path", 1),
		"a schema that is no one": strings.Replace(document, "type: integer, maximum: 10", "type: whole", 1),
	} {
		if text == document {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if _, err := contract.Load([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	d := mustLoad(t, document)
	if got := strings.Join(d.Operations(), ", "); got != "GET /things/{id}, POST /things" {
		t.Errorf("operations %s", got)
	}
	if members, required := d.Properties("Thing"); strings.Join(members, " ") != "at free id inner" || strings.Join(required, " ") != "id inner" {
		t.Errorf("%v, %v", members, required)
	}
	if got := strings.Join(d.Enum("Problem", "code"), " "); got != "a b" || strings.Join(d.Schemas(), " ") != "Order Problem Thing" {
		t.Errorf("%s, %v", got, d.Schemas())
	}
}
