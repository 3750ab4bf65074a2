package issuer

import "strings"

// metadata is what Django REST framework answers to OPTIONS (SimpleMetadata).
type metadata struct {
	Name        string                          `json:"name"`
	Description string                          `json:"description"`
	Renders     []string                        `json:"renders"`
	Parses      []string                        `json:"parses"`
	Actions     map[string]map[string]fieldInfo `json:"actions,omitempty"`
}

type fieldInfo struct {
	Type     string `json:"type"`
	Required bool   `json:"required"`
	ReadOnly bool   `json:"read_only"`
	Label    string `json:"label"`
}

// described is the part of a row's metadata that differs: the view's name and
// docstring, the fields that a POST reads and those that it only answers.
type described struct {
	name, text    string
	reads, writes []string
}

// descriptions of the rows, by name; those of SimpleJWT's views are its own.
func (i *Issuer) descriptions() map[string]described {
	return map[string]described{
		"issuer:token": {"Token Obtain Pair", "Takes a set of user credentials and returns an access and refresh JSON web\n" +
			"token pair to prove the authentication of those credentials.", []string{i.LoginField, "password"}, nil},
		"issuer:refresh": {"Token Refresh", "Takes a refresh type JSON web token and returns an access type JSON web\n" +
			"token if the refresh token is valid.", []string{"refresh"}, []string{"access"}},
		"issuer:verify": {"Token Verify", "Takes a token and indicates if it is valid.  This view provides no\n" +
			"information about a token's fitness for a particular use.", []string{"token"}, nil},
		"issuer:blacklist": {"Token Blacklist", "Takes a token and blacklists it.", []string{"refresh"}, nil},
		"issuer:sliding": {"Token Obtain Sliding", "Takes a set of user credentials and returns a sliding JSON web token to\n" +
			"prove the authentication of those credentials.", []string{i.LoginField, "password"}, nil},
		"issuer:sliding_refresh": {"Token Refresh Sliding", "Takes a sliding JSON web token and returns a new, refreshed version if the\n" +
			"token's refresh period has not expired.", []string{"token"}, nil},
		"issuer:logout":   {"Api Logout", "", nil, nil},
		"issuer:password": {"Password", "Takes the old password and a new one, and ends every other session.", []string{"old_password", "new_password"}, nil},
		"issuer:sessions": {"Session List", "The caller's sessions.", nil, nil},
		"issuer:session":  {"Session", "One of the caller's sessions.", nil, nil},
	}
}

// describe returns a row's metadata. A row that has no description of its own is
// named after its route.
func (i *Issuer) describe(r row) metadata {
	d, found := i.descriptions()[r.name]
	if !found {
		_, d.name, _ = strings.Cut(r.name, ":")
	}
	m := metadata{Name: d.name, Description: d.text, Renders: []string{"application/json"},
		Parses: []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}}
	if !r.negotiates() { // RFC 6749 and the like: forms alone
		m.Parses = []string{"application/x-www-form-urlencoded"}
	}
	if len(d.reads) == 0 {
		return m
	}
	fields := map[string]fieldInfo{}
	for _, name := range d.reads {
		fields[name] = fieldInfo{"string", true, false, label(name)}
	}
	for _, name := range d.writes {
		fields[name] = fieldInfo{"string", false, true, label(name)}
	}
	m.Actions = map[string]map[string]fieldInfo{"POST": fields}
	return m
}

// label is how Django shows a field's name.
func label(name string) string {
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}
