package contract

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// operation is one method of a path.
type operation struct {
	query, headers map[string]*jsonschema.Schema
	body           *jsonschema.Schema // nil: it takes none
	needsBody      bool
	answers        map[string]answer // by status
}

type answer struct {
	content map[string]*jsonschema.Schema // by media type; none: no body
	headers map[string]*jsonschema.Schema
}

// operation compiles what the document says of one method. Examples are compared with
// their schemas at once.
func (d *Document) operation(path, method string) (operation, error) {
	at := "/paths/" + escape(path) + "/" + method
	op := operation{query: map[string]*jsonschema.Schema{}, headers: map[string]*jsonschema.Schema{}, answers: map[string]answer{}}
	node := object(object(object(d.doc["paths"])[path])[method])
	list, _ := node["parameters"].([]any)
	for n := range list {
		p, where := d.resolve(list[n], fmt.Sprintf("%s/parameters/%d", at, n))
		schema, err := d.schema(where+"/schema", nil)
		if err != nil {
			return op, err
		}
		switch name := fmt.Sprint(p["name"]); p["in"] {
		case "query":
			op.query[name] = schema
		case "header":
			op.headers[name] = schema
		case "path":
			if !strings.Contains(path, "{"+name+"}") {
				return op, fmt.Errorf("there is no {%s} in the path", name)
			}
		}
	}
	if body := object(node["requestBody"]); body != nil {
		op.needsBody, _ = body["required"].(bool)
		content, err := d.content(body, at+"/requestBody")
		if err != nil {
			return op, err
		}
		op.body = content["application/json"]
	}
	for status, each := range object(node["responses"]) {
		r, where := d.resolve(each, at+"/responses/"+status)
		content, err := d.content(r, where)
		if err != nil {
			return op, err
		}
		a := answer{content: content, headers: map[string]*jsonschema.Schema{}}
		for name, h := range object(r["headers"]) {
			_, at := d.resolve(h, where+"/headers/"+name)
			if a.headers[name], err = d.schema(at+"/schema", nil); err != nil {
				return op, err
			}
		}
		op.answers[status] = a
	}
	return op, nil
}

// content compiles the schemas of a body by media type.
func (d *Document) content(of map[string]any, at string) (map[string]*jsonschema.Schema, error) {
	out := map[string]*jsonschema.Schema{}
	for media, each := range object(of["content"]) {
		var err error
		if out[media], err = d.schema(at+"/content/"+escape(media)+"/schema", object(each)["example"]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *Document) schema(at string, example any) (*jsonschema.Schema, error) {
	s, err := d.compiler.Compile(location + "#" + at)
	if err == nil && example != nil {
		err = s.Validate(example)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return s, nil
}

// resolve follows a reference within the document, and says where it leads.
func (d *Document) resolve(v any, at string) (map[string]any, string) {
	node := object(v)
	to, isRef := node["$ref"].(string)
	if !isRef {
		return node, at
	}
	at = strings.TrimPrefix(to, "#")
	var here any = d.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		here = object(here)[part]
	}
	return object(here), at
}

// escape writes a name as a part of a JSON pointer in a URI's fragment.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
}
