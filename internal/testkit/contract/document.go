package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// location is where the document stands for its own references.
const location = "mem:///openapi.json"

// Document is an OpenAPI document, ready to be compared with, also by several at once.
// Its components have a schema Problem.
type Document struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	paths    map[string]map[string]operation // by template and method
	problem  *jsonschema.Schema              // of a refusal that belongs to no operation
}

// Load reads a document in YAML. Each object that lists its properties and does not
// say whether there may be others is closed: a client has to bear new members, the
// suite is to find those that nobody described.
func Load(text []byte) (*Document, error) {
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	plain, err := json.Marshal(tree) // numbers and keys as JSON has them
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	doc, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("contract: the document is no object")
	}
	shut(doc)
	d := &Document{doc: doc, compiler: jsonschema.NewCompiler(), paths: map[string]map[string]operation{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if d.problem, err = d.schema("/components/schemas/Problem", nil); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	for path, item := range object(doc["paths"]) {
		d.paths[path] = map[string]operation{}
		for method := range object(item) {
			if d.paths[path][strings.ToUpper(method)], err = d.operation(path, method); err != nil {
				return nil, fmt.Errorf("contract: %s %s: %w", method, path, err)
			}
		}
	}
	return d, nil
}

// Operations returns every "METHOD /path/{template}" of the document, sorted.
func (d *Document) Operations() []string {
	var all []string
	for path, methods := range d.paths {
		for method := range methods {
			all = append(all, method+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// Properties returns the members of a schema of the components, and which of them are
// required, both sorted.
func (d *Document) Properties(schema string) (members, required []string) {
	s := object(object(object(d.doc["components"])["schemas"])[schema])
	list, _ := s["required"].([]any)
	for _, name := range list {
		required = append(required, fmt.Sprint(name))
	}
	slices.Sort(required)
	return slices.Sorted(maps.Keys(object(s["properties"]))), required
}

// Schemas returns the names of the schemas of the components, sorted.
func (d *Document) Schemas() []string {
	return slices.Sorted(maps.Keys(object(object(d.doc["components"])["schemas"])))
}

// Enum returns the values of a property of a schema of the components.
func (d *Document) Enum(schema, property string) []string {
	var out []string
	p := object(object(object(object(object(d.doc["components"])["schemas"])[schema])["properties"])[property])
	list, _ := p["enum"].([]any)
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// shut closes the objects of a tree.
func shut(v any) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			shut(each)
		}
	case map[string]any:
		_, lists := v["properties"].(map[string]any)
		if _, says := v["additionalProperties"]; lists && !says {
			v["additionalProperties"] = false
		}
		for name, each := range v {
			if name != "example" && name != "examples" {
				shut(each)
			}
		}
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
