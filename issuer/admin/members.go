package admin

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// membersOnce refuses a body in which a member is named twice, or by other letters than
// ours. The decoder would take PASSWORD for password, and of two the last that is not
// null, where the audit log, which reads the same body by itself, sees something else or
// nothing. What is no object is left to whoever decodes it.
func membersOnce(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, text := token.(string)
		if err != nil || !text {
			return nil
		}
		var skipped json.RawMessage
		switch {
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "":
			return badBody("The body has an unknown member: " + strconv.Quote(name))
		case seen[name]:
			return badBody("The body has the member " + name + " twice.")
		case decoder.Decode(&skipped) != nil:
			return nil
		}
		seen[name] = true
	}
	return nil
}
