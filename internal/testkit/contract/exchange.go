package contract

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exchange is a request with its answer.
type Exchange struct {
	Method string
	Target string // path and query as they were sent
	Header http.Header
	Body   string

	Status       int
	AnswerHeader http.Header
	Answer       string
}

// Faults returns in which ways the exchange is not as the document says. A request
// that was refused need not be as described, but its answer has to.
func (d *Document) Faults(x Exchange) []string {
	path, query, _ := strings.Cut(x.Target, "?")
	template, found := d.template(path)
	if !found {
		return d.strange(x, http.StatusNotFound)
	}
	op, found := d.paths[template][x.Method]
	if !found {
		return d.strange(x, http.StatusMethodNotAllowed)
	}
	var faults []string
	said, found := op.answers[fmt.Sprint(x.Status)]
	if !found {
		return []string{fmt.Sprintf("the status %d is not listed", x.Status)}
	}
	faults = append(faults, said.faults(x)...)
	if x.Status < http.StatusBadRequest {
		faults = append(faults, op.faults(x, query)...)
	}
	return faults
}

// template finds the path of the document that a path is of; one without parameters
// comes first.
func (d *Document) template(path string) (string, bool) {
	if _, found := d.paths[path]; found {
		return path, true
	}
	parts := strings.Split(path, "/")
	for template := range d.paths {
		wanted := strings.Split(template, "/")
		if len(wanted) == len(parts) && !slices.ContainsFunc(indexes(parts), func(i int) bool {
			return wanted[i] != parts[i] && (!strings.HasPrefix(wanted[i], "{") || parts[i] == "")
		}) {
			return template, true
		}
	}
	return "", false
}

func indexes(parts []string) []int {
	out := make([]int, len(parts))
	for i := range parts {
		out[i] = i
	}
	return out
}

// strange looks at the answer to a request that the document does not know: it has to
// be refused, as a problem.
func (d *Document) strange(x Exchange, status int) []string {
	if x.Status != status && x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden {
		return []string{fmt.Sprintf("the endpoint is not described, and its answer is %d", x.Status)}
	}
	return answer{content: map[string]*jsonschema.Schema{"application/problem+json": d.problem}}.faults(x)
}

// faults of a request that was taken.
func (op operation) faults(x Exchange, query string) []string {
	var out []string
	values, err := url.ParseQuery(query)
	if err != nil {
		return []string{err.Error()}
	}
	for name, schema := range op.query {
		for _, value := range values[name] {
			if value != "" {
				out = append(out, fault("the parameter "+name, schema.Validate(scalar(value, schema)))...)
			}
		}
	}
	for name, schema := range op.headers {
		for _, value := range x.Header.Values(name) {
			out = append(out, fault("the header "+name, schema.Validate(strings.TrimSpace(value)))...)
		}
	}
	switch {
	case x.Body == "" && op.needsBody:
		out = append(out, "the request has no body")
	case x.Body != "" && op.body != nil:
		out = append(out, against(op.body, "the request", x.Body)...)
	}
	return out
}

// faults of an answer.
func (a answer) faults(x Exchange) []string {
	if x.Method == http.MethodHead {
		return nil
	}
	if len(a.content) == 0 {
		if x.Answer != "" {
			return []string{"the answer has a body"}
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(x.AnswerHeader.Get("Content-Type"))
	if err != nil {
		return []string{"the answer has no media type"}
	}
	schema, found := a.content[media]
	if !found {
		return []string{"the answer's media type " + media + " is not listed"}
	}
	var out []string
	for name, header := range a.headers {
		if value := x.AnswerHeader.Get(name); value != "" {
			out = append(out, fault("the header "+name, header.Validate(value))...)
		}
	}
	if media == "application/x-ndjson" { // the schema is that of each line
		for line := range strings.Lines(x.Answer) {
			out = append(out, against(schema, "a line of the answer", line)...)
		}
		return out
	}
	if !strings.HasSuffix(media, "json") {
		return append(out, fault("the answer", schema.Validate(x.Answer))...)
	}
	return append(out, against(schema, "the answer", x.Answer)...)
}

func against(schema *jsonschema.Schema, what, text string) []string {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return []string{what + " is not JSON: " + err.Error()}
	}
	return fault(what, schema.Validate(v))
}

func fault(what string, err error) []string {
	if err == nil {
		return nil
	}
	return []string{what + ": " + err.Error()}
}

// scalar reads a value of a query as what its schema wants.
func scalar(text string, schema *jsonschema.Schema) any {
	if schema.Types != nil && slices.Contains(schema.Types.ToStrings(), "integer") {
		return json.Number(text)
	}
	return text
}
