package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"
)

// fields is a request's body: JSON, form or multipart, as Django REST framework
// reads them. Values keep their JSON type, so that a list in place of a string
// can be told from a string.
type fields map[string]any

// readFields reads the body. Its faults have Django REST framework's words.
func (c *call) readFields() (fields, error) {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return nil, bodyFault(err)
	}
	if len(body) == 0 { // nothing was sent, whatever it is said to be
		return fields{}, nil
	}
	contentType := c.r.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	if errors.Is(err, mime.ErrInvalidMediaParameter) {
		err = nil // the type itself is clear
	}
	switch {
	case contentType == "", err == nil && mediaType == "application/json":
		return readJSON(body)
	case err == nil && mediaType == "application/x-www-form-urlencoded":
		return parseForm(string(body)), nil
	case err == nil && mediaType == "multipart/form-data":
		return parseMultipart(body, params["boundary"])
	}
	return nil, &fault{status: http.StatusUnsupportedMediaType, detail: "media type",
		body: map[string]string{"detail": fmt.Sprintf("Unsupported media type %q in request.", contentType)}}
}

func readJSON(body []byte) (fields, error) {
	// The decoder would mend what is no UTF-8, and so make one password of many.
	if !utf8.Valid(body) {
		return nil, jsonFault(errors.New("not UTF-8"))
	}
	if loneSurrogate(body) {
		return nil, jsonFault(errors.New("half a surrogate pair"))
	}
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

func bodyFault(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &fault{status: http.StatusRequestEntityTooLarge, detail: "body too large",
			body: map[string]string{"detail": "The request body is too large."}}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &fault{status: http.StatusRequestTimeout, detail: "body too slow",
			body: map[string]string{"detail": "The request body did not arrive in time."}}
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
	var faults fieldFaults
	for i, name := range names {
		text, message := f.text(name)
		if message != "" {
			faults = append(faults, [2]string{name, message})
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
