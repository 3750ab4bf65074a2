package remote

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"tollgate/keys"
)

// maxDocument bounds every document that is read, from a file or over HTTP.
const maxDocument = 1 << 20

// ReadFile reads the file of trusted issuers (YAML). It returns what is allowed
// and seldom wanted as warnings, and every fault at once as a joined error: each
// with line and column, the issuer and the field. Faults and warnings never show
// lines of the file nor the contents of a file that it names; those are read by
// Open.
func ReadFile(data []byte) (specs []Spec, warnings []string, err error) {
	if len(data) > maxDocument {
		return nil, nil, fmt.Errorf("is larger than %d bytes", maxDocument)
	}
	r := &reader{anchors: make(map[string]ast.Node)}
	entries, err := r.entries(data)
	if err != nil {
		return nil, nil, err
	}
	named := make(map[string]bool)
	excused := ""
	for i, entry := range entries {
		s, at := r.spec(entry, i+1)
		if s.Issuer != "" && named[s.Issuer] {
			r.add(at.field("issuer"), "is named twice")
		}
		named[s.Issuer] = true
		if s.Legacy.NoIss {
			// A token without iss would be nobody's, or two people's.
			if excused != "" {
				r.add(at.field("legacy"), "legacy.no_iss is set for issuer %q already", excused)
			}
			excused = s.Issuer
		}
		specs, warnings = append(specs, s), append(warnings, s.warnings()...)
	}
	if len(r.faults) > 0 {
		return nil, nil, errors.Join(r.faults...)
	}
	return specs, warnings, nil
}

// entries returns the members of the list "issuers". The document is walked and
// not decoded into structs: that would stop at the first fault, and print the
// lines around it.
func (r *reader) entries(data []byte) ([]ast.Node, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) > 1 {
		r.add(bodies[1], "more than one document")
		return nil, errors.Join(r.faults...)
	}
	if len(bodies) == 0 {
		return nil, errors.New("is empty: no list issuers")
	}
	fields, ok := r.fields(bodies[0])
	var entries []ast.Node
	found := false
	for _, f := range fields {
		if f.name == "issuers" {
			found = true
			entries, _ = r.list(f)
			continue
		}
		r.add(f.key, "unknown field %q", cut(f.name))
	}
	if ok && !found {
		r.add(bodies[0], "no list issuers")
	}
	if !found {
		return nil, errors.Join(r.faults...)
	}
	return entries, nil
}

// spec reads one entry of the list and adds its faults.
func (r *reader) spec(entry ast.Node, number int) (Spec, *entryPlace) {
	var s Spec
	at := &entryPlace{entry: entry, fields: make(map[string]ast.Node)}
	r.who = fmt.Sprintf("issuer %d", number)
	fields, ok := r.fields(entry)
	if !ok {
		return s, at
	}
	for _, f := range fields {
		if name, ok := f.value.(*ast.StringNode); ok && f.name == "issuer" && checkName(name.Value) == nil {
			r.who = fmt.Sprintf("issuer %q", name.Value)
		}
	}
	unread := make(map[string]bool)
	for _, f := range fields {
		at.fields[f.name] = f.key
		unread[f.name] = !r.into(&s, f)
	}
	for _, f := range s.faults() {
		known := true
		for _, name := range f.fields {
			known = known && !unread[name] // what could not be read has its fault already
		}
		if known {
			r.add(at.field(f.fields...), "%s", f.text)
		}
	}
	return s, at
}

// into reads one field of an entry, and reports whether it could be read.
func (r *reader) into(s *Spec, f field) (ok bool) {
	switch f.name {
	case "issuer":
		s.Issuer, ok = r.text(f)
	case fromURL:
		s.JWKSURL, ok = r.text(f)
	case fromJWKS:
		s.JWKSFile, ok = r.text(f)
	case fromPEM:
		s.KeyFile, ok = r.text(f)
	case fromHS256:
		s.HS256SecretFile, ok = r.text(f)
	case "audiences":
		s.Audiences, ok = r.texts(f)
	case "algorithms":
		var names []string
		names, ok = r.texts(f)
		for _, name := range names {
			s.Algorithms = append(s.Algorithms, keys.Algorithm(name))
		}
	case "leeway":
		s.Leeway, ok = r.duration(f)
		s.NoLeeway = ok && s.Leeway == 0
	case "max_lifetime":
		s.MaxLifetime, ok = r.duration(f)
	case "subject_claim":
		s.SubjectClaim, ok = r.text(f)
	case "typ":
		s.Typ, ok = r.types(f)
	case "legacy":
		s.Legacy, ok = r.legacy(f)
	case "before_store":
		s.BeforeStore, ok = r.text(f)
	default:
		r.add(f.key, "unknown field %q", cut(f.name))
	}
	return ok
}

func (r *reader) legacy(f field) (l Legacy, ok bool) {
	fields, ok := r.fields(f.value)
	for _, one := range fields {
		switches := map[string]*bool{
			"no_kid": &l.NoKid, "no_iss": &l.NoIss, "no_aud": &l.NoAud, "no_jti": &l.NoJti, "no_token_type": &l.NoTokenType,
		}
		if into := switches[one.name]; into == nil {
			r.add(one.key, "unknown field %q", cut("legacy."+one.name))
		} else {
			*into = r.boolean(one)
		}
	}
	return l, ok
}
