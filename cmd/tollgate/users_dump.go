package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tollgate/issuer/users"
)

// importUser is a user as the admin API takes it in an import.
type importUser struct {
	ID           string         `json:"id,omitempty"`
	Username     string         `json:"username"`
	Email        string         `json:"email,omitempty"`
	PasswordHash string         `json:"password_hash,omitempty"`
	Attributes   map[string]any `json:"attributes,omitempty"`
	IsActive     *bool          `json:"is_active,omitempty"`
	IsStaff      bool           `json:"is_staff,omitempty"`
	IsSuperuser  bool           `json:"is_superuser,omitempty"`
	MustChange   bool           `json:"must_change_password,omitempty"`
	LastLogin    *time.Time     `json:"last_login,omitempty"`
	// CreatedAt stands in what "users list -o json" prints; it is not taken over.
	CreatedAt *time.Time `json:"created_at,omitempty"`

	where string // line and key, for the report
}

// dump is what a file of users says.
type dump struct {
	users    []importUser
	faults   []string // rows that cannot be taken
	noHash   []string // rows whose password is in a form that is refused: they come without one
	unusable int      // rows without a usable password
	others   int      // rows of other models
}

// dumpRow is a row of Django's dumpdata.
type dumpRow struct {
	Model  string         `json:"model"`
	PK     any            `json:"pk"`
	Fields map[string]any `json:"fields"`
}

// readDump reads Django's dumpdata (one array, or with --format jsonl a line each)
// or lines of our own form, and checks every row.
func readDump(data []byte, model string) *dump {
	d := &dump{}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows leave one
	groups := map[string]string{}                   // names of auth.group, by key
	var rows []numbered
	err := eachRow(data, func(line int, raw json.RawMessage) {
		var row dumpRow
		if err := decode(raw, &row, false); err == nil && row.Model != "" {
			if row.Model == "auth.group" {
				if name, ok := row.Fields["name"].(string); ok {
					groups[fmt.Sprint(row.PK)] = name
				}
			}
			if !strings.EqualFold(row.Model, model) {
				d.others++
				return
			}
			rows = append(rows, numbered{line: line, row: &row})
			return
		}
		rows = append(rows, numbered{line: line, raw: raw})
	})
	if err != nil {
		d.faults = append(d.faults, err.Error())
		return d
	}
	for _, n := range rows {
		d.take(n, groups)
	}
	d.distinct()
	return d
}

// numbered is a row with the line that it begins on: of Django, or of our own.
type numbered struct {
	line int
	row  *dumpRow
	raw  json.RawMessage
}

func (d *dump) take(n numbered, groups map[string]string) {
	u := importUser{where: fmt.Sprintf("line %d", n.line)}
	var err error
	if n.row != nil {
		u.where += fmt.Sprintf(" (pk %v)", n.row.PK)
		err = u.fromDjango(n.row, groups)
	} else {
		err = decode(n.raw, &u, true)
		u.CreatedAt = nil
	}
	if err != nil {
		d.faults = append(d.faults, u.where+": "+err.Error())
		return
	}
	switch {
	case u.PasswordHash == "" || strings.HasPrefix(u.PasswordHash, "!"):
		u.PasswordHash = ""
		d.unusable++
	case users.CheckHash(u.PasswordHash) != nil:
		d.noHash = append(d.noHash, u.where+": "+u.Username)
		u.PasswordHash = ""
	}
	check := users.New{Username: u.Username, ID: u.ID, Email: u.Email, Attributes: u.Attributes, PasswordHash: u.PasswordHash, NoPassword: u.PasswordHash == ""}
	if err := check.Validate(); err != nil {
		d.faults = append(d.faults, u.where+": "+strings.TrimPrefix(err.Error(), users.ErrInvalid.Error()+": "))
		return
	}
	d.users = append(d.users, u)
}

// distinct finds names and ids that stand there twice.
func (d *dump) distinct() {
	names, ids := map[string]string{}, map[string]string{}
	for _, u := range d.users {
		for _, f := range []struct {
			what, text string
			seen       map[string]string
		}{{"username", u.Username, names}, {"id", u.ID, ids}} {
			if first := f.seen[f.text]; f.text != "" && first != "" {
				d.faults = append(d.faults, fmt.Sprintf("%s: the %s %q stands at %s already", u.where, f.what, f.text, first))
			}
			f.seen[f.text] = u.where
		}
	}
}

// sharedEmails finds addresses that stand there twice, case aside.
func (d *dump) sharedEmails() []string {
	seen, faults := map[string]string{}, []string{}
	for _, u := range d.users {
		email := strings.ToLower(u.Email)
		if first := seen[email]; email != "" && first != "" {
			faults = append(faults, fmt.Sprintf("%s: the e-mail address stands at %s already, and users log in by it", u.where, first))
		}
		seen[email] = u.where
	}
	return faults
}

// fromDjango maps a row. What is no field of our own becomes an attribute, but for
// the permissions, which are numbers of Django's own database.
func (u *importUser) fromDjango(row *dumpRow, groups map[string]string) error {
	switch row.PK.(type) {
	case string, json.Number:
		u.ID = fmt.Sprint(row.PK)
	default:
		return errors.New("pk is neither a number nor a text (dumpdata without --natural-primary has it)")
	}
	f := row.Fields
	u.Email, _ = f["email"].(string)
	if u.Username, _ = f["username"].(string); f["username"] == nil {
		u.Username = u.Email // a model whose users log in by e-mail has no other name
	}
	u.PasswordHash, _ = f["password"].(string)
	active, isBool := f["is_active"].(bool)
	if !isBool {
		active = f["is_active"] == nil
	}
	u.IsActive = &active
	u.IsStaff, _ = f["is_staff"].(bool)
	u.IsSuperuser, _ = f["is_superuser"].(bool)
	if text, ok := f["last_login"].(string); ok {
		at, err := djangoTime(text)
		if err != nil {
			return errors.New("last_login is not a time")
		}
		u.LastLogin = &at
	}
	u.Attributes = map[string]any{}
	own := []string{"id", "username", "email", "password", "is_active", "is_staff", "is_superuser", "last_login", "user_permissions"}
	for name, value := range f {
		if !slices.Contains(own, name) && value != nil {
			u.Attributes[name] = value
		}
	}
	if held, ok := f["groups"].([]any); ok {
		u.Attributes["groups"] = groupNames(held, groups)
	}
	return nil
}

// groupNames turns keys into names where the dump has the groups too; natural keys
// (dumpdata --natural-foreign) are names in lists of one.
func groupNames(held []any, groups map[string]string) []any {
	out := make([]any, 0, len(held))
	for _, g := range held {
		if natural, ok := g.([]any); ok && len(natural) == 1 {
			g = natural[0]
		}
		if name, ok := groups[fmt.Sprint(g)]; ok {
			g = name
		}
		out = append(out, g)
	}
	return out
}

// djangoTime reads a time with or without its zone; without one it is UTC.
func djangoTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05", text)
}

// eachRow calls do for every object of an array or of a sequence of objects.
func eachRow(data []byte, do func(line int, raw json.RawMessage)) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	line, counted := 1, 0
	at := func() int { // the line of the next value
		end := int(decoder.InputOffset())
		for end < len(data) && strings.ContainsRune(" \t\r\n,", rune(data[end])) {
			end++
		}
		line += bytes.Count(data[counted:end], []byte("\n"))
		counted = end
		return line
	}
	array := bytes.HasPrefix(bytes.TrimSpace(data), []byte("["))
	if array {
		_, _ = decoder.Token() // the bracket
	}
	for !array || decoder.More() {
		here := at()
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF) && !array:
			return nil
		case err != nil:
			return fmt.Errorf("line %d: this is not JSON", here)
		}
		do(here, raw)
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("line %d: the array has no end: the file is cut off", at())
	}
	return nil
}

func decode(raw json.RawMessage, into any, strict bool) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if strict {
		decoder.DisallowUnknownFields()
	}
	err := decoder.Decode(into)
	if unknown, ok := strings.CutPrefix(fmt.Sprint(err), "json: unknown field "); ok {
		return fmt.Errorf("the member %s is not known", unknown)
	}
	if err != nil {
		return errors.New("not a JSON object as expected")
	}
	return nil
}
