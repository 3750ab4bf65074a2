package store

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// AdminToken is what is known of a token of the admin API. The token itself is shown
// once and kept as a SHA-256: it is 256 random bits that we made, which no slow hash
// could make harder to guess.
type AdminToken struct {
	ID        string
	Name      string // for people; 1 to 100 characters
	Role      string // a word whose meaning the admin API knows
	Created   time.Time
	CreatedBy string
	Expires   time.Time // zero: never
	Used      time.Time // to the minute; zero: never
	Revoked   time.Time // zero: it was not
	RevokedBy string

	hash string
}

// Life of what is written of an admin token.
const (
	// usedEvery is how often the last use is written: a busy script must not turn each
	// of its reads into a write.
	usedEvery = time.Minute
	// keptAfter is how long the record of a token stays that has expired or was
	// revoked, so that the list shows it and its use is recognised.
	keptAfter = 30 * 24 * time.Hour
)

// An admin token says where its record is: tga_<id>_<secret>. The record is found by
// the id, which is no secret, and the whole is compared in constant time.
const adminPrefix = "tga_"

var (
	adminForm = regexp.MustCompile(`^tga_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$`)
	roleForm  = regexp.MustCompile(`^[a-z]{1,20}$`)
)

// AdminTokenID returns the id in a token of our form. False: no record of ours can
// belong to it, whatever the store would say.
func AdminTokenID(raw string) (id string, ok bool) {
	m := adminForm.FindStringSubmatch(raw)
	if m == nil {
		return "", false
	}
	return m[1], true
}

func newAdminToken() (id, raw string) {
	var b [8]byte
	var secret [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	_, _ = rand.Read(secret[:])
	id = hex.EncodeToString(b[:])
	return id, adminPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
}

// is reports whether this is the token's record, in constant time.
func (t *AdminToken) is(raw string) bool {
	return subtle.ConstantTimeCompare([]byte(hashSecret(raw)), []byte(t.hash)) == 1
}

func (t *AdminToken) validate() error {
	switch {
	case strings.TrimSpace(t.Name) != t.Name || t.Name == "" || utf8.RuneCountInString(t.Name) > 100 || !utf8.ValidString(t.Name) || strings.ContainsFunc(t.Name, unicode.IsControl):
		return invalid("name is not 1 to 100 characters, or begins or ends with a blank, or has a control character")
	case !roleForm.MatchString(t.Role):
		return invalid("role is no word")
	}
	return nil
}

// goes is when the record goes, as a score; "+inf": never.
func (t *AdminToken) goes() float64 {
	if t.Expires.IsZero() {
		return infinity
	}
	return float64(t.Expires.Add(keptAfter).UnixMilli())
}

func parseAdminToken(id string, f map[string]string) (*AdminToken, error) {
	t := &AdminToken{ID: id, Name: f[fieldName], Role: f[fieldRole], CreatedBy: f[fieldBy], RevokedBy: f[fieldRevokedBy], hash: f[fieldHash]}
	for name, to := range map[string]*time.Time{fieldCreated: &t.Created, fieldExpires: &t.Expires, fieldUsed: &t.Used, fieldRevoked: &t.Revoked} {
		if f[name] == "" {
			continue
		}
		ms, err := strconv.ParseInt(f[name], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("store: record of admin token %q: %s: %w", id, name, err)
		}
		*to = moment(ms)
	}
	return t, nil
}
