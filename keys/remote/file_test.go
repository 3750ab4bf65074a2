package remote_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/keys"
	"tollgate/keys/remote"
)

func TestReadFile(t *testing.T) {
	specs, warnings, err := remote.ReadFile([]byte(`
# who is believed
issuers:
  - issuer: https://a.example
    jwks_url: https://a.example/.well-known/jwks.json?tenant=1
    audiences: &services [shop-api, "1234"]
    algorithms: [RS256, ES256]
    leeway: 5s
    max_lifetime: 1h30m
    subject_claim: https://a.example/uid
    typ: [JWT, application/at+JWT]
    before_store: refuse
  - issuer: legacy
    hs256_secret_file: secrets/legacy
    audiences: *services
    max_lifetime: 0
    legacy: {no_kid: true, no_iss: true, no_aud: true, no_jti: true, no_token_type: true}
  - {issuer: "c", jwks_file: c.json, before_store: accept, legacy: {no_jti: false}, leeway: 0s}
`))
	must(t, err)
	want := []remote.Spec{
		{
			Issuer: "https://a.example", JWKSURL: "https://a.example/.well-known/jwks.json?tenant=1", Audiences: []string{"shop-api", "1234"},
			Algorithms: []keys.Algorithm{keys.RS256, keys.ES256}, Leeway: 5 * time.Second, MaxLifetime: 90 * time.Minute,
			SubjectClaim: "https://a.example/uid", Typ: []string{"jwt", "at+jwt"}, BeforeStore: "refuse",
		},
		{
			Issuer: "legacy", HS256SecretFile: "secrets/legacy", Audiences: []string{"shop-api", "1234"},
			Legacy: remote.Legacy{NoKid: true, NoIss: true, NoAud: true, NoJti: true, NoTokenType: true},
		},
		{Issuer: "c", JWKSFile: "c.json", BeforeStore: "accept", NoLeeway: true},
	}
	if diff := cmp.Diff(want, specs); diff != "" {
		t.Errorf("specs (-want +got):\n%s", diff)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], `issuer "c": no audiences`) {
		t.Errorf("warnings are %q", warnings)
	}
}

func TestWarnings(t *testing.T) {
	for entry, want := range map[string]string{
		`jwks_url: http://idp.internal/jwks, audiences: [a]`:                       "plain http",
		`jwks_url: http://192.0.2.1/jwks, audiences: [a]`:                          "plain http",
		`jwks_url: http://localhost.example/jwks, audiences: [a]`:                  "plain http",
		`jwks_url: http://127.0.0.1:8080/jwks, audiences: [a]`:                     "",
		`jwks_url: "http://[::1]/jwks", audiences: [a]`:                            "",
		`jwks_url: http://LOCALHOST./jwks, audiences: [a]`:                         "",
		`jwks_url: http://idp.localhost/jwks, audiences: [a]`:                      "",
		`jwks_url: https://idp.example/jwks, audiences: [a]`:                       "",
		`jwks_url: https://idp.example/jwks, audiences: []`:                        "no audiences",
		`jwks_url: https://idp.example/jwks`:                                       "no audiences",
		`key_file: k.pem, audiences: [a]`:                                          "thumbprint",
		`hs256_secret_file: s, audiences: [a]`:                                     "kid is hs256",
		`hs256_secret_file: s, audiences: [a], legacy: {no_kid: true}`:             "",
		`key_file: k.pem, audiences: [a], legacy: {no_kid: true}, max_lifetime: 0`: "",
	} {
		_, warnings, err := remote.ReadFile([]byte("issuers: [{issuer: x, " + entry + "}]"))
		must(t, err)
		if got := strings.Join(warnings, "\n"); want == "" && got != "" || !strings.Contains(got, want) || want != "" && !strings.Contains(got, `issuer "x"`) {
			t.Errorf("%s: the warnings are %q, want %q", entry, got, want)
		}
	}
}

// TestFileFaults: one fault for each way to be wrong, where it is.
func TestFileFaults(t *testing.T) {
	one := func(rest string) string { return "issuers:\n- issuer: x\n  jwks_file: f\n  " + rest + "\n" }
	for name, tt := range map[string]struct{ file, want string }{
		"empty":                    {"", "no list issuers"},
		"comments only":            {"# nothing\n", "no list issuers"},
		"null":                     {"null\n", "[1:1] is not a mapping"},
		"a list":                   {"- issuer: x\n", "[1:1] is not a mapping"},
		"text":                     {"hello", "[1:1] is not a mapping"},
		"no issuers":               {"{}\n", "[1:1] no list issuers"},
		"issuers is text":          {"issuers: x\n", "[1:1] issuers is not a list"},
		"issuers is null":          {"issuers:\n", "[1:1] issuers is not a list"},
		"two documents":            {"issuers: []\n---\nissuers: []\n", "more than one document"},
		"no YAML":                  {"issuers: [\n", "[1:10]"},
		"a tab":                    {"issuers:\n\t- issuer: x\n", "[2:1]"},
		"an entry is text":         {"issuers:\n- x\n", "[2:3] issuer 1: is not a mapping"},
		"an entry is null":         {"issuers:\n-\n", "issuer 1: is not a mapping"},
		"no name":                  {"issuers:\n- jwks_file: f\n", "issuer 1: issuer is missing"},
		"an empty name":            {"issuers:\n- issuer: ''\n  jwks_file: f\n", "[2:3] issuer 1: issuer is empty"},
		"a number":                 {"issuers:\n- issuer: 7\n  jwks_file: f\n", "[2:3] issuer 1: issuer is not text"},
		"a long name":              {"issuers:\n- issuer: " + strings.Repeat("x", 256) + "\n  jwks_file: f\n", "issuer 1: issuer is longer than 255 bytes"},
		"a control character":      {"issuers:\n- issuer: \"a\\nb\"\n  jwks_file: f\n", "issuer 1: issuer has a control character"},
		"named twice":              {one("") + "- issuer: x\n  key_file: k\n", `[5:3] issuer "x": is named twice`},
		"a field twice":            {one("jwks_file: g"), "already defined"},
		"no source":                {"issuers:\n- issuer: x\n", `issuer "x": names 0 key sources`},
		"two sources":              {one("jwks_url: https://h"), `[4:3] issuer "x": names 2 key sources (jwks_url, jwks_file)`},
		"an empty source":          {"issuers:\n- issuer: x\n  jwks_url: ''\n", `[3:3] issuer "x": jwks_url is empty`},
		"an unknown field":         {one("jwks_uri: https://h"), `[4:3] issuer "x": unknown field "jwks_uri"`},
		"a merge key":              {one("<<: {leeway: 5s}"), `[4:3] issuer "x": unknown field "<<"`},
		"an unknown anchor":        {one("audiences: *nobody"), `issuer "x": audiences is not a list`},
		"an anchor of itself":      {one("audiences: &a [*a]"), `issuer "x": a member of audiences is not text`},
		"an alias of itself":       {one("subject_claim: &a *a"), `[4:21] unexpected scalar value type`},
		"a tag":                    {one("subject_claim: !!str uid"), `[4:3] issuer "x": subject_claim is not text`},
		"audiences is text":        {one("audiences: api"), `[4:3] issuer "x": audiences is not a list`},
		"audiences with a number":  {one("audiences: [1]"), `[4:15] issuer "x": a member of audiences is not text`},
		"audiences with an empty":  {one("audiences: ['']"), `a member of audiences is empty`},
		"audiences with a control": {one(`audiences: ["a\u0000"]`), `an audience has a control character`},
		"audiences twice the same": {one("audiences: [a, b, a]"), `[4:21] issuer "x": a member of audiences stands there twice`},
		"an unknown algorithm":     {one("algorithms: [rs256]"), `[4:3] issuer "x": algorithms: unknown algorithm "rs256"`},
		"none":                     {one("algorithms: [none]"), `unknown algorithm "none"`},
		"an algorithm twice":       {one("algorithms: [RS256, RS256]"), `stands there twice`},
		"a secret's algorithm":     {one("algorithms: [RS256, HS256]"), `HS256 goes with hs256_secret_file only`},
		"a secret for RSA":         {"issuers:\n- issuer: x\n  hs256_secret_file: s\n  algorithms: [HS256, RS256]\n", `RS256 does not go with hs256_secret_file`},
		"leeway without unit":      {one("leeway: 5"), `[4:3] issuer "x": leeway is not a duration`},
		"a negative leeway":        {one("leeway: -5s"), `leeway is not a duration`},
		"leeway is null":           {one("leeway:"), `leeway is not a duration`},
		"max_lifetime is a list":   {one("max_lifetime: [1h]"), `max_lifetime is not a duration`},
		"subject_claim is null":    {one("subject_claim: ~"), `subject_claim is not text`},
		"a control in a claim":     {one(`subject_claim: "a\tb"`), `subject_claim has a control character`},
		"typ of nothing":           {one("typ: [application/]"), `a typ is missing`},
		"legacy is a list":         {one("legacy: [no_kid]"), `[4:11] issuer "x": is not a mapping`},
		"legacy of nobody":         {one("legacy: {no_exp: true}"), `[4:12] issuer "x": unknown field "legacy.no_exp"`},
		"legacy is text":           {one("legacy: {no_kid: 'true'}"), `[4:12] issuer "x": no_kid is neither true nor false`},
		"legacy by a number":       {one("legacy: {no_kid: 1}"), `no_kid is neither true nor false`},
		"no_iss twice":             {one("legacy: {no_iss: true}") + "- issuer: y\n  key_file: k\n  legacy: {no_iss: true}\n", `[7:3] issuer "y": legacy.no_iss is set for issuer "x" already`},
		"before_store":             {one("before_store: allow"), `[4:3] issuer "x": before_store is neither accept nor refuse`},
		"large":                    {strings.Repeat("#", 1<<20+1), "is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			specs, _, err := remote.ReadFile([]byte(tt.file))
			wantError(t, err, tt.want)
			if specs != nil {
				t.Error("there are issuers beside the error")
			}
			if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) != 1 {
				t.Errorf("more than one fault: %v", err)
			}
		})
	}
}

func TestURLs(t *testing.T) {
	for address, want := range map[string]string{
		"https://h/x?y":             "",
		"h/jwks":                    "does not begin with https://",
		"//h/jwks":                  "does not begin with https://",
		"file:///etc/passwd":        "does not begin with https://",
		"https:/jwks":               "has no host",
		"https://:443/jwks":         "has no host",
		"https://u:canary@h/jwks":   "has a user name or a password",
		"https://canary@h/jwks":     "has a user name or a password",
		"https://h/jwks#canary":     "has a fragment",
		"https://h/jwks#":           "has a fragment",
		"https://h:canary/jwks":     "is not a URL",
		"https://h/\x7fcanary":      "is not a URL",
		"https://u:can%ary@h/jwks%": "is not a URL",
	} {
		_, _, err := remote.ReadFile(fmt.Appendf(nil, "issuers: [{issuer: x, jwks_url: %q}]", address))
		if want == "" {
			must(t, err)
			continue
		}
		wantError(t, err, want, `issuer "x": jwks_url`)
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the fault shows the address: %v", err)
		}
	}
}

// TestAllFaultsAtOnce: each by its place and its issuer, and nothing of what
// might be a secret.
func TestAllFaultsAtOnce(t *testing.T) {
	_, _, err := remote.ReadFile([]byte(`version: 1
issuers:
  - issuer: https://a.example
    hs256_secret: s3cret-canary
    leeway: s3cret-canary
    legacy: {no_kid: s3cret-canary, no_exp: true}
    jwks_url: https://user:s3cret-canary@a.example/
  - jwks_file: b.json
    algorithms: [HS256]
  - issuer: https://a.example
    audiences: [s3cret-canary, 2, s3cret-canary]
    before_store: s3cret-canary
  - s3cret-canary
`))
	want := []string{
		`[1:1] unknown field "version"`,
		`[4:5] issuer "https://a.example": unknown field "hs256_secret"`,
		`[5:5] issuer "https://a.example": leeway is not a duration like 30s or 1h30m`,
		`[6:14] issuer "https://a.example": no_kid is neither true nor false`,
		`[6:37] issuer "https://a.example": unknown field "legacy.no_exp"`,
		`[7:5] issuer "https://a.example": jwks_url has a user name or a password`,
		`[8:5] issuer 2: issuer is missing`,
		`[9:5] issuer 2: HS256 goes with hs256_secret_file only`,
		`[11:32] issuer "https://a.example": a member of audiences is not text (put it in quotes)`,
		`[11:35] issuer "https://a.example": a member of audiences stands there twice`,
		`[10:5] issuer "https://a.example": names 0 key sources (), not exactly one of jwks_url, jwks_file, key_file, hs256_secret_file`,
		`[12:5] issuer "https://a.example": before_store is neither accept nor refuse`,
		`[10:5] issuer "https://a.example": is named twice`,
		`[13:5] issuer 4: is not a mapping of fields`,
	}
	if diff := cmp.Diff(want, strings.Split(fmt.Sprint(err), "\n")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	// A secret or a key in place of the file.
	for _, file := range []string{"s3cret-canary", "s3cret-canary: [", "'s3cret-canary", "-----BEGIN PRIVATE KEY-----\ns3cret-canary\n-----END", "{\"k\":\"s3cret-canary\"", "&s3cret-canary", "*s3cret-canary"} {
		if _, _, err := remote.ReadFile([]byte(file)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: the error is %v", file, err)
		}
	}
}

// FuzzReadFileIsSound: whatever the file says, it ends in an error, or in issuers
// that are sound.
func FuzzReadFileIsSound(f *testing.F) {
	for _, seed := range []string{
		"", "issuers: []", "issuers:\n- issuer: x\n  jwks_url: https://h\n", "issuers: [{issuer: x, key_file: k, legacy: {no_kid: true}}]",
		"issuers: [&a {issuer: x, jwks_file: f, leeway: 5s}, *a]", "a: &a [*a]", "%YAML 1.2\n---\nissuers: []\n...\n", "? [x]\n: y", "issuers: !!seq []",
		"issuers:\n- issuer: |\n    x\n  hs256_secret_file: >-\n    y\n", "issuers: [{issuer: x, jwks_file: f, max_lifetime: 0x7fffffffffffffff}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		specs, _, err := remote.ReadFile(data)
		if err != nil {
			if specs != nil {
				t.Error("issuers beside an error")
			}
			return
		}
		var named []string
		for _, s := range specs {
			sources := 0
			for _, from := range []string{s.JWKSURL, s.JWKSFile, s.KeyFile, s.HS256SecretFile} {
				if from != "" {
					sources++
				}
			}
			if s.Issuer == "" || sources != 1 || s.Leeway < 0 || s.MaxLifetime < 0 {
				t.Errorf("an issuer that is not sound: %+v", s)
			}
			for _, other := range named {
				if other == s.Issuer {
					t.Errorf("%q is named twice", s.Issuer)
				}
			}
			named = append(named, s.Issuer)
		}
	})
}

// TestFaultsAreJoined: a caller may list them.
func TestFaultsAreJoined(t *testing.T) {
	_, _, err := remote.ReadFile([]byte("a: 1\nb: 2\n"))
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("the error is %v", err)
	}
}
