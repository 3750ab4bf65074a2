package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// object splits one JSON object into its members. It refuses what encoding/json
// lets pass and two readers may read differently: a member named twice (RFC 7517
// section 4), other text after the object, invalid UTF-8. Names keep their case.
func object(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, errors.New("not valid JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	members := make(map[string]json.RawMessage)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("read a member's name: %w", err)
		}
		name, _ := t.(string) // an object's names are strings
		if _, twice := members[name]; twice {
			return nil, errors.New("an object names a member twice")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("read a member: %w", err)
		}
		members[name] = value
	}
	return members, nil
}

// text returns the string member of that name; absent is "" and false. JSON null
// is a wrong type, not an absence.
func text(members map[string]json.RawMessage, name string) (string, bool, error) {
	raw, there := members[name]
	if !there {
		return "", false, nil
	}
	if len(raw) == 0 || raw[0] != '"' {
		return "", true, fmt.Errorf("%q is not a string", name)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", true, fmt.Errorf("read %q: %w", name, err)
	}
	return s, true, nil
}
