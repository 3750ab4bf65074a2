package main

import (
	"net/netip"
	"net/url"
	"os"
	"strings"

	"tollgate/issuer/users"
)

// UserSource is where the users are: in Redis when both are empty.
type UserSource struct {
	File string
	URL  string // of a back end that is asked
}

// Users is where the users are.
type Users struct{ value[UserSource] }

// show implements setting.
func (u *Users) show() string {
	switch {
	case u.Value.File != "":
		return "file:" + u.Value.File
	case u.Value.URL != "":
		return u.Value.URL
	}
	return "redis"
}

// Decode implements setting. Its faults do not show a URL: somebody may have put a
// password into it.
func (u *Users) Decode(text string) error {
	text = strings.TrimSpace(text)
	if text == "redis" {
		return u.put(UserSource{}, "")
	}
	if file, ok := strings.CutPrefix(text, "file:"); ok {
		info, err := os.Stat(file)
		switch {
		case file == "":
			return u.put(UserSource{}, "names no file behind file:")
		case err != nil:
			return u.put(UserSource{}, err.Error())
		case info.IsDir():
			return u.put(UserSource{}, "names a file that is a directory")
		}
		return u.put(UserSource{File: file}, "")
	}
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return u.put(UserSource{}, "is none of redis, file:PATH and an http(s):// URL")
	}
	var checked URL
	if _ = checked.Decode(text); checked.fault() != "" { // never fails: it keeps its fault
		return u.put(UserSource{}, checked.fault())
	}
	return u.put(UserSource{URL: checked.Value.String()}, "")
}

// backEnd is how the back end of TOLLGATE_USERS is asked; what is kept of its users
// is the caller's to add.
func (l *LoginSettings) backEnd() users.HTTPConfig {
	return users.HTTPConfig{
		URL: l.Users.Value.URL, Secret: l.UsersSecret.Reveal(), CAFile: l.UsersCAFile.Value,
		CertFile: l.UsersCertFile.Value, KeyFile: l.UsersKeyFile.Value, LoginByEmail: l.byEmail(),
	}
}

func (l *LoginSettings) byEmail() bool { return l.Field.Value == "email" }

// users: what belongs to one source is a fault beside another, and a file is read
// as the start will read it.
func (r *rules) users() {
	l := &r.c.Login
	if !r.c.Roles.Issuer.Value || r.faulty["TOLLGATE_USERS"] {
		return
	}
	source := l.Users.Value
	if l.LastLogin.Value && source != (UserSource{}) {
		r.warn("TOLLGATE_UPDATE_LAST_LOGIN", "does nothing: only users in Redis have their log-ins recorded")
	}
	for _, f := range []struct {
		name string
		set  bool
		tls  bool
	}{
		{"TOLLGATE_USERS_SECRET", l.UsersSecret.Set(), false}, {"TOLLGATE_USERS_CA_FILE", l.UsersCAFile.Value != "", true},
		{"TOLLGATE_USERS_CERT_FILE", l.UsersCertFile.Value != "", true}, {"TOLLGATE_USERS_KEY_FILE", l.UsersKeyFile.Value != "", true},
	} {
		switch {
		case !f.set:
		case source.URL == "":
			r.fault(f.name, "is set but TOLLGATE_USERS is not a URL")
		case f.tls && strings.HasPrefix(source.URL, "http://"):
			r.fault(f.name, "is set but TOLLGATE_USERS does not ask for TLS (https://)")
		}
	}
	switch {
	case source.File != "":
		r.usersFile(source.File)
	case source.URL != "":
		r.usersURL(source.URL)
	}
}

func (r *rules) usersFile(path string) {
	if users.ExposedFile(path) {
		r.warn("TOLLGATE_USERS", "names a file that everybody on this machine can read: its password hashes can be guessed at (chmod 0600)")
	}
	if _, err := users.OpenFile(path, users.NewHasher(1), users.FileConfig{LoginByEmail: r.c.Login.byEmail()}); err != nil {
		r.fault("TOLLGATE_USERS", "cannot be used: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

func (r *rules) usersURL(address string) {
	l := &r.c.Login
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		r.warn("TOLLGATE_USERS", "is plain http and not on loopback: passwords cross the network unencrypted")
	}
	for _, name := range []string{"TOLLGATE_USERS_CA_FILE", "TOLLGATE_USERS_CERT_FILE", "TOLLGATE_USERS_KEY_FILE"} {
		if r.faulty[name] {
			return
		}
	}
	if l.UsersSecret.Set() && hasBlankOrControl(l.UsersSecret.Reveal()) {
		r.fault("TOLLGATE_USERS_SECRET", "has a blank or a control character in it, which no Authorization header can carry")
		return
	}
	back, err := users.NewHTTP(l.backEnd())
	if err != nil {
		name := "TOLLGATE_USERS_CERT_FILE"
		if l.UsersCertFile.Value == "" && l.UsersKeyFile.Value == "" {
			name = "TOLLGATE_USERS_CA_FILE"
		}
		r.fault(name, "cannot be used: "+err.Error())
		return
	}
	back.Close()
}

// loopbackHost reports whether a name or address stays on this machine (RFC 6761
// section 6.3).
func loopbackHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
