package remote

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate/keys"
	"tollgate/keys/token"
)

// Spec is one trusted issuer, as the file of trusted issuers states it.
type Spec struct {
	// Issuer is the exact iss of its tokens.
	Issuer string
	// JWKSURL, JWKSFile, KeyFile and HS256SecretFile say where the keys come from:
	// exactly one is set. Files may be relative to Config.Dir.
	JWKSURL, JWKSFile, KeyFile, HS256SecretFile string
	// Audiences of which a token must name one. Empty: aud is not looked at.
	Audiences []string
	// Algorithms that its keys may have; the first RSA one is that of RSA keys
	// which do not say theirs. Empty: each key's own.
	Algorithms []keys.Algorithm
	// Leeway for exp, nbf and iat, at most the verifier's. 0: the verifier's, unless
	// NoLeeway says that it is none: the file has a 0 of its own.
	Leeway   time.Duration
	NoLeeway bool
	// MaxLifetime caps exp - iat. 0: no cap.
	MaxLifetime time.Duration
	// SubjectClaim is where the subject stands. Empty: sub.
	SubjectClaim string
	// Typ lists the header types that are accepted, lower case and without
	// "application/". Empty: jwt and at+jwt.
	Typ []string
	// Legacy excuses the issuer from what its tokens lack.
	Legacy Legacy
	// BeforeStore says what becomes of tokens that are older than the revocation
	// store: accept or refuse. Empty: accept.
	BeforeStore string
}

// Legacy has the switches of the file under their names there. See token.Legacy.
type Legacy struct {
	NoKid, NoIss, NoAud, NoJti, NoTokenType bool
}

// The values of Spec.BeforeStore.
const (
	beforeAccept = "accept"
	beforeRefuse = "refuse"
)

// The key sources, by their names in the file.
const (
	fromURL   = "jwks_url"
	fromJWKS  = "jwks_file"
	fromPEM   = "key_file"
	fromHS256 = "hs256_secret_file"
)

// secretID is the kid of an HS256 secret. Its thumbprint would be a hash of the
// secret that anyone may read.
const secretID = "hs256"

// maxName bounds what comes into log lines and comparisons, in bytes.
const maxName = 255

// sources returns the names of the key sources that are set.
func (s *Spec) sources() []string {
	var set []string
	for _, one := range [][2]string{{fromURL, s.JWKSURL}, {fromJWKS, s.JWKSFile}, {fromPEM, s.KeyFile}, {fromHS256, s.HS256SecretFile}} {
		if one[1] != "" {
			set = append(set, one[0])
		}
	}
	return set
}

// fault is what is wrong with some fields of a Spec.
type fault struct {
	text   string
	fields []string // names in the file; the first says where
}

// faults returns everything that is wrong with the issuer. No text shows what
// might be a secret.
func (s *Spec) faults() []fault {
	var all []fault
	add := func(text string, fields ...string) { all = append(all, fault{text, fields}) }
	if err := checkName(s.Issuer); err != nil {
		add("issuer "+err.Error(), "issuer")
	}
	if set := s.sources(); len(set) != 1 {
		add(fmt.Sprintf("names %d key sources (%s), not exactly one of jwks_url, jwks_file, key_file, hs256_secret_file",
			len(set), strings.Join(set, ", ")), append(set, fromURL, fromJWKS, fromPEM, fromHS256)...)
	}
	if s.JWKSURL != "" {
		if _, err := parseURL(s.JWKSURL); err != nil {
			add("jwks_url "+err.Error(), fromURL)
		}
	}
	for _, a := range s.Audiences {
		if err := checkName(a); err != nil {
			add("an audience "+err.Error(), "audiences")
		}
	}
	for _, t := range s.Typ {
		if err := checkName(t); err != nil {
			add("a typ "+err.Error(), "typ")
		}
	}
	if s.SubjectClaim != "" {
		if err := checkName(s.SubjectClaim); err != nil {
			add("subject_claim "+err.Error(), "subject_claim")
		}
	}
	if s.Leeway < 0 {
		add("leeway is negative", "leeway")
	}
	if s.MaxLifetime < 0 {
		add("max_lifetime is negative", "max_lifetime")
	}
	if !slices.Contains([]string{"", beforeAccept, beforeRefuse}, s.BeforeStore) {
		add("before_store is neither accept nor refuse", "before_store")
	}
	return append(all, s.algorithmFaults()...)
}

// algorithmFaults keeps secrets and public keys apart: an issuer whose public key
// were taken for a secret could be imitated by anyone (RFC 8725 section 2.1).
func (s *Spec) algorithmFaults() []fault {
	var all []fault
	secret := s.HS256SecretFile != ""
	for i, a := range s.Algorithms {
		text := ""
		switch _, err := keys.ParseAlgorithm(string(a)); {
		case err != nil:
			text = "algorithms: " + cut(err.Error())
		case slices.Contains(s.Algorithms[:i], a):
			text = fmt.Sprintf("algorithms names %s twice", a)
		case secret && !a.Symmetric():
			text = fmt.Sprintf("%s does not go with hs256_secret_file", a)
		case !secret && a.Symmetric():
			text = fmt.Sprintf("%s goes with hs256_secret_file only", a)
		default:
			continue
		}
		all = append(all, fault{text, []string{"algorithms"}})
	}
	return all
}

// warnings returns what is allowed and seldom wanted.
func (s *Spec) warnings() []string {
	var all []string
	add := func(text string) { all = append(all, fmt.Sprintf("issuer %q: %s", s.Issuer, text)) }
	if len(s.Audiences) == 0 {
		add("no audiences: tokens that are meant for other services are accepted")
	}
	if u, err := parseURL(s.JWKSURL); err == nil && u.Scheme == "http" && !loopback(u) {
		add("jwks_url is plain http: whoever is on the way can put other keys in place")
	}
	switch {
	case s.Legacy.NoKid:
	case s.KeyFile != "":
		add("key_file without legacy.no_kid: only tokens whose kid is the key's RFC 7638 thumbprint are accepted")
	case s.HS256SecretFile != "":
		add("hs256_secret_file without legacy.no_kid: only tokens whose kid is " + secretID + " are accepted")
	}
	return all
}

// trust returns the issuer as keys/token wants it.
func (s *Spec) trust(source token.KeySource) token.Issuer {
	t := token.Issuer{
		Name: s.Issuer, Keys: source, Audiences: slices.Clone(s.Audiences), Algorithms: slices.Clone(s.Algorithms),
		Types: slices.Clone(s.Typ), Leeway: s.Leeway, NoLeeway: s.NoLeeway, SubjectClaim: s.SubjectClaim,
		RefuseBeforeStore: s.BeforeStore == beforeRefuse,
		Legacy: token.Legacy{
			NoKID: s.Legacy.NoKid, NoIssuer: s.Legacy.NoIss, NoAudience: s.Legacy.NoAud,
			NoJTI: s.Legacy.NoJti, NoTokenType: s.Legacy.NoTokenType,
		},
	}
	if s.MaxLifetime > 0 {
		t.MaxLifetime = map[string]time.Duration{"": s.MaxLifetime}
	}
	return t
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("is missing")
	case len(name) > maxName:
		return fmt.Errorf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("has a control character or is not UTF-8")
	}
	return nil
}
