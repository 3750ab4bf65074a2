package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// fields is a request's body: JSON, form or multipart, as Django REST framework
// reads them. Values keep their JSON type, so that a list in place of a string
// can be told from a string.
type fields map[string]any

// readFields reads the body. Its faults have Django REST framework's words.
func (c *call) readFields() (fields, error) {
	mediaType, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case c.r.Header.Get("Content-Type") == "", mediaType == "application/json":
	case err == nil && mediaType == "application/x-www-form-urlencoded", err == nil && mediaType == "multipart/form-data":
	default:
		return nil, &fault{status: http.StatusUnsupportedMediaType, detail: "media type",
			body: map[string]string{"detail": fmt.Sprintf("Unsupported media type %q in request.", c.r.Header.Get("Content-Type"))}}
	}
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return nil, bodyFault(err)
	}
	switch {
	case len(body) == 0:
		return fields{}, nil
	case mediaType == "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, parseFault("the form is malformed")
		}
		return fromForm(values), nil
	case mediaType == "multipart/form-data":
		return c.readMultipart(body, params["boundary"])
	}
	return readJSON(body)
}

func readJSON(body []byte) (fields, error) {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, jsonFault(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonFault(errors.New("there is something after the value"))
	}
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case nil:
		return nil, nonField("No data provided")
	default:
		return nil, nonField(fmt.Sprintf("Invalid data. Expected a dictionary, but got %s.", pythonType(v)))
	}
}

// pythonType is the name that Django REST framework has for a JSON type.
func pythonType(v any) string {
	switch v := v.(type) {
	case []any:
		return "list"
	case string:
		return "str"
	case bool:
		return "bool"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "int"
	}
	return "dict"
}

func (c *call) readMultipart(body []byte, boundary string) (fields, error) {
	if boundary == "" {
		return nil, parseFault("Multipart form parse error - Invalid boundary in multipart: None")
	}
	c.r.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.r.ParseMultipartForm(tokenBody); err != nil {
		return nil, parseFault("Multipart form parse error - the form is malformed")
	}
	defer func() { _ = c.r.MultipartForm.RemoveAll() }()
	return fromForm(c.r.MultipartForm.Value), nil
}

// fromForm keeps the last value of a field, as Django's QueryDict answers.
func fromForm(values map[string][]string) fields {
	out := fields{}
	for name, list := range values {
		out[name] = list[len(list)-1]
	}
	return out
}

func bodyFault(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &fault{status: http.StatusRequestEntityTooLarge, detail: "body too large",
			body: map[string]string{"detail": "The request body is too large."}}
	}
	return parseFault("The request body could not be read.")
}

func jsonFault(err error) error {
	text := "the document is malformed"
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		text = fmt.Sprintf("malformed at byte %d", syntax.Offset)
	}
	return parseFault("JSON parse error - " + text)
}

func parseFault(detail string) error {
	return &fault{status: http.StatusBadRequest, detail: "malformed body", body: map[string]string{"detail": detail}}
}

func nonField(message string) *fault {
	return &fault{status: http.StatusBadRequest, detail: message, body: map[string][]string{"non_field_errors": {message}}}
}

// texts returns the named fields as a serializer of required CharFields would:
// white space at both ends is cut, a number counts as its digits, and every
// field's fault is answered at once.
func (f fields) texts(names ...string) ([]string, error) {
	out := make([]string, len(names))
	faults := map[string][]string{}
	for i, name := range names {
		text, message := f.text(name)
		if message != "" {
			faults[name] = []string{message}
		}
		out[i] = text
	}
	if len(faults) > 0 {
		return nil, &fault{status: http.StatusBadRequest, detail: "invalid fields", body: faults}
	}
	return out, nil
}

func (f fields) text(name string) (text, message string) {
	v, found := f[name]
	if !found {
		return "", "This field is required."
	}
	switch v := v.(type) {
	case nil:
		return "", "This field may not be null."
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		return "", "Not a valid string."
	}
	if strings.ContainsRune(text, 0) {
		return "", "Null characters are not allowed."
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", "This field may not be blank."
	}
	return text, ""
}

// truth is Python's: what SimpleJWT's users send as "all" is a "1", a true, or
// nothing.
func (f fields) truth(name string) bool {
	switch v := f[name].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		n, err := v.Float64()
		return err != nil || n != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}
