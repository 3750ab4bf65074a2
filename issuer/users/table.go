package users

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
)

// table is what a users file says.
type table struct {
	digest  [sha256.Size]byte
	byLogin map[string]record // by name, or by e-mail address in lower case
	byID    map[string]record
	costs   costs
}

// fileUsers is a users file in YAML.
type fileUsers struct {
	Users []fileUser `yaml:"users"`
}

type fileUser struct {
	Username    string         `yaml:"username"`
	ID          string         `yaml:"id"` // default: the username
	Email       string         `yaml:"email"`
	Password    string         `yaml:"password"` // a hash; empty or "!": none
	Attributes  map[string]any `yaml:"attributes"`
	IsActive    *bool          `yaml:"is_active"` // default true
	IsStaff     bool           `yaml:"is_staff"`
	IsSuperuser bool           `yaml:"is_superuser"`

	where string
}

// maxFaults bounds how much is said of one file.
const maxFaults = 20

// readTable reads a users file. Every fault is named; none repeats a hash.
func readTable(data []byte, byEmail bool) (*table, error) {
	read := readYAML
	if isHtpasswd(data) {
		read = readHtpasswd
	}
	list, err := read(data)
	if err != nil {
		return nil, err
	}
	t := &table{digest: sha256.Sum256(data), byLogin: map[string]record{}, byID: map[string]record{}}
	names := map[string]bool{}
	var faults []error
	for _, u := range list {
		err := t.add(u, byEmail, names)
		if err != nil && len(faults) < maxFaults {
			faults = append(faults, fmt.Errorf("users file: %s: %w", u.where, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

func (t *table) add(u fileUser, byEmail bool, names map[string]bool) error {
	n := New{
		Username: u.Username, ID: u.ID, Email: u.Email, Attributes: u.Attributes, PasswordHash: u.Password,
		NoPassword: u.Password == "" || strings.HasPrefix(u.Password, unusable),
		IsActive:   u.IsActive == nil || *u.IsActive, IsStaff: u.IsStaff, IsSuperuser: u.IsSuperuser,
	}
	if n.ID == "" {
		n.ID = n.Username
	}
	if err := n.Validate(); err != nil {
		return err
	}
	encoded, err := encodeAttributes(n.Attributes)
	if err != nil {
		return err
	}
	attributes, err := decodeAttributes(encoded) // numbers as from any other directory
	if err != nil {
		return err
	}
	rec := record{password: unusable, user: User{
		ID: n.ID, Username: n.Username, Email: n.Email, Attributes: attributes,
		IsActive: n.IsActive, IsStaff: n.IsStaff, IsSuperuser: n.IsSuperuser,
	}}
	if !n.NoPassword {
		s, err := parseStored(n.PasswordHash)
		if err != nil {
			return err
		}
		rec.password, t.costs = n.PasswordHash, t.costs.with(s.cost)
	}
	login := n.Username
	if byEmail {
		login = fold(n.Email)
	}
	_, sameID := t.byID[n.ID]
	_, sameLogin := t.byLogin[login]
	switch {
	case names[n.Username]:
		return fmt.Errorf("%w: username", ErrExists)
	case sameID:
		return fmt.Errorf("%w: id %q", ErrExists, n.ID)
	case sameLogin && login != "":
		return fmt.Errorf("%w: email", ErrExists)
	}
	names[n.Username], t.byID[n.ID] = true, rec
	if login != "" {
		t.byLogin[login] = rec
	}
	return nil
}

// isHtpasswd tells the two forms apart by their first line: after the colon of a
// YAML mapping there is a blank or nothing.
func isHtpasswd(data []byte) bool {
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		_, after, found := strings.Cut(text, ":")
		return found && after != "" && after[0] != ' ' && after[0] != '\t'
	}
	return false
}

// readHtpasswd reads lines NAME:HASH. What follows a second colon is not looked at.
func readHtpasswd(data []byte) ([]fileUser, error) {
	var list []fileUser
	at := 0
	for line := range bytes.Lines(data) {
		at++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, hash, found := strings.Cut(text, ":")
		if !found {
			return nil, fmt.Errorf("users file: line %d is not NAME:HASH", at)
		}
		hash, _, _ = strings.Cut(hash, ":")
		list = append(list, fileUser{Username: name, Password: hash, where: fmt.Sprintf("line %d", at)})
	}
	return list, nil
}

func readYAML(data []byte) ([]fileUser, error) {
	var f fileUsers
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("users file: %s", yaml.FormatError(err, false, false)) // without the source, where hashes are
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("users file: more than one document")
	}
	for i := range f.Users {
		f.Users[i].where = fmt.Sprintf("user %d (%q)", i+1, f.Users[i].Username)
	}
	return f.Users, nil
}
