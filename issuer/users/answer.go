package users

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// question is what a back end is asked at a log-in.
func question(field, login, password string) (string, error) {
	text, err := json.Marshal(map[string]string{field: login, "password": password})
	return string(text), err
}

// mustChangeMember is the member of an answer that asks for another password.
const mustChangeMember = "must_change_password"

// parseUser reads the user that a back end gave. id or sub is required; username
// and email default to what was logged in with; is_active to true. Members that it
// does not know are attributes, so that an existing serializer will do, but for a
// password, which has no business here. Its errors repeat nothing of the answer.
func parseUser(answer []byte, field, login string) (User, error) {
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		return User{}, errors.New("the answer is not a JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return User{}, errors.New("there is something after the answer's object")
	}
	r := answered{members: members}
	u := User{ID: r.id(), Username: r.text("username"), Email: r.text("email"), LastLogin: r.time("last_login")}
	u.IsActive, u.IsStaff, u.IsSuperuser = r.flag("is_active", true), r.flag("is_staff", false), r.flag("is_superuser", false)
	u.MustChange = r.flag(mustChangeMember, false)
	u.Attributes = r.attributes()
	switch {
	case u.Username == "" && field == "username":
		u.Username = login
	case u.Email == "" && field == "email":
		u.Email = login
	}
	if u.Username == "" {
		u.Username = u.ID
	}
	if r.fault != nil {
		return User{}, r.fault
	}
	return u, errors.Join(validText("id", u.ID, maxIDBytes), validName(u.Username), validText("email", u.Email, maxEmailBytes))
}

// answered reads members and keeps the first fault.
type answered struct {
	members map[string]any
	fault   error
}

func (r *answered) fail(name, want string) {
	if r.fault == nil {
		r.fault = fmt.Errorf("the answer's member %s is not %s", name, want)
	}
}

// id is id or, in the words of OpenID Connect, sub.
func (r *answered) id() string {
	for _, name := range []string{"id", "sub"} {
		switch v := r.members[name].(type) {
		case nil:
			continue
		case json.Number:
			return v.String()
		case string:
			if v != "" {
				return v
			}
		}
		r.fail(name, "a text or a number")
		return ""
	}
	if r.fault == nil {
		r.fault = errors.New("the answer has neither id nor sub")
	}
	return ""
}

func (r *answered) text(name string) string {
	switch v := r.members[name].(type) {
	case nil:
	case string:
		return v
	default:
		r.fail(name, "a text")
	}
	return ""
}

func (r *answered) flag(name string, otherwise bool) bool {
	switch v := r.members[name].(type) {
	case nil:
		return otherwise
	case bool:
		return v
	}
	r.fail(name, "true or false")
	return false
}

func (r *answered) time(name string) time.Time {
	text := r.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{} // a date in a form of its own is nobody's fault
	}
	return at.UTC()
}

func (r *answered) attributes() map[string]any {
	out := map[string]any{}
	for name, v := range r.members {
		switch name {
		case "sub", "password", "attributes", mustChangeMember:
		default:
			if !slices.Contains(own[:], name) {
				out[name] = v
			}
		}
	}
	switch named := r.members["attributes"].(type) {
	case nil:
	case map[string]any:
		for name, v := range named {
			out[name] = v
		}
	default:
		r.fail("attributes", "an object")
	}
	if _, err := encodeAttributes(out); err != nil && r.fault == nil {
		r.fault = errors.New("the answer's attributes cannot be taken: a reserved or empty name, or more than 64 KiB")
	}
	return out
}
