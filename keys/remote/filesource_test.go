package remote_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/remote"
)

func mustWrite(tb testing.TB, path, content string) {
	tb.Helper()
	must(tb, os.WriteFile(path, []byte(content), 0o600))
}

// mustSwap puts a new file in place of an old one by rename.
func mustSwap(tb testing.TB, path, content string) {
	tb.Helper()
	mustWrite(tb, path+".new", content)
	must(tb, os.Rename(path+".new", path))
}

// TestFileChanges: a file that is replaced is taken over, a broken or missing one
// is not, and the last good one has an end.
func TestFileChanges(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	path := filepath.Join(dir, "jwks.json")
	mustWrite(t, path, mustDocument(t, "a"))
	var l logs
	i := mustOpen(t, remote.Config{Dir: dir, Poll: time.Millisecond, Now: c.Now, Log: l.Logger()}, remote.Spec{Issuer: issuerA, JWKSFile: "jwks.json"})
	defer run(t, i)()
	source := keysOf(i)
	has := func(want string) func() bool { return func() bool { return kids(source.Set()) == want } }
	failing := func(want bool) func() bool {
		return func() bool { s := i.Status()[0]; return (s.Err != nil) == want && s.Source == "jwks_file "+path }
	}
	wantKids(t, source.Set(), "a")
	b := mustKeys(t, "b")[0]
	mustSwap(t, path, with(documentOf(t, b), `{"kty":"AKP","kid":"pq"}`))
	testkit.MustAwait(t, "replaced by rename", has("b"))
	first := source.Set()
	polls := i.Status()[0].Fetches
	testkit.MustAwait(t, "read again", func() bool { return i.Status()[0].Fetches > polls+2 })
	if source.Set() != first || strings.Count(l.String(), "left out") != 1 {
		t.Errorf("reading the same again is not nothing:\n%s", l.String())
	}
	mustSwap(t, path, documentOf(t, b, mustKeys(t, "c")[0]))
	testkit.MustAwait(t, "a key more", has("b c"))
	before, _ := first.Key("b")
	if after, _ := source.Set().Key("b"); before != after {
		t.Error("the key that stayed is another one")
	}
	mustSwap(t, path, mustDocument(t, "b"))
	testkit.MustAwait(t, "replaced again", has("b"))
	for name, content := range map[string]string{"broken": "{", "empty": "", "an empty set": `{"keys":[]}`, "too large": strings.Repeat(" ", 2<<20)} {
		mustSwap(t, path, content)
		testkit.MustAwait(t, name+" noticed", failing(true))
		wantKids(t, source.Set(), "b")
		mustSwap(t, path, mustDocument(t, "b"))
		testkit.MustAwait(t, "whole again", failing(false))
	}
	c.Advance(24 * time.Hour)
	polls = i.Status()[0].Fetches
	testkit.MustAwait(t, "read again", func() bool { return i.Status()[0].Fetches > polls+1 })
	wantKids(t, source.Set(), "b") // it was confirmed by reading it
	must(t, os.Remove(path))
	testkit.MustAwait(t, "the loss noticed", failing(true))
	wantKids(t, source.Await(t.Context(), "x"), "b")
	c.Advance(24*time.Hour + 1)
	wantKids(t, source.Set(), "")
	// As Kubernetes does it: the name is a link to a link that is swapped.
	for _, v := range []string{"1", "2"} {
		must(t, os.Mkdir(filepath.Join(dir, v), 0o700))
		mustWrite(t, filepath.Join(dir, v, "jwks.json"), mustDocument(t, "v"+v))
	}
	must(t, os.Symlink("1", filepath.Join(dir, "data")))
	must(t, os.Symlink("data/jwks.json", path))
	testkit.MustAwait(t, "back", has("v1"))
	must(t, os.Symlink("2", filepath.Join(dir, "data.new")))
	must(t, os.Rename(filepath.Join(dir, "data.new"), filepath.Join(dir, "data")))
	testkit.MustAwait(t, "swapped", has("v2"))
	for _, want := range []string{"cannot be read", "read again", "changed"} {
		if !strings.Contains(l.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, l.String())
		}
	}
}

func TestSecret(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	for name, tt := range map[string]struct{ content, want, err string }{
		"bare":           {secret, secret, ""},
		"newline":        {secret + "\n", secret, ""},
		"CRLF":           {secret + "\r\n", secret, ""},
		"two newlines":   {secret + "\n\n", secret + "\n", ""},
		"blanks":         {" " + secret + " \n", " " + secret + " ", ""},
		"binary":         {strings.Repeat("\x00\xff", 16), strings.Repeat("\x00\xff", 16), ""},
		"31 bytes":       {secret[1:] + "\n", "", "at least 32 bytes"},
		"empty":          {"", "", "at least 32 bytes"},
		"larger than it": {strings.Repeat("x", 1<<20+1), "", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			mustWrite(t, path, tt.content)
			i, err := remote.Open(t.Context(), []remote.Spec{{Issuer: issuerA, HS256SecretFile: path}}, remote.Config{})
			if tt.err != "" {
				wantError(t, err, tt.err, issuerA)
				// But for the path, whose directory has a random number in its name.
				if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), path, ""), "56789") {
					t.Errorf("the error shows the secret: %v", err)
				}
				return
			}
			must(t, err)
			defer i.Close()
			k, found := keysOf(i).Set().Key("hs256")
			if !found || k.Algorithm() != keys.HS256 || string(k.Public().([]byte)) != tt.want {
				t.Error("the key is not the secret")
			}
		})
	}
}

func TestPEM(t *testing.T) {
	pkix := func(pub any) string {
		der, err := x509.MarshalPKIXPublicKey(pub)
		must(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	ec, rsaPub := mustEC(t), rsaKey().Public()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	expired := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, expired, expired, ec.Public(), ec)
	must(t, err)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	private, err := x509.MarshalPKCS8PrivateKey(ec)
	must(t, err)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)}))
	const e, r, p = keys.ES256, keys.RS256, keys.PS384
	for name, tt := range map[string]struct {
		content    string
		algorithms []keys.Algorithm
		want       keys.Algorithm
		err        string
	}{
		"PKIX EC":                 {pkix(ec.Public()), nil, e, ""},
		"PKIX RSA":                {pkix(rsaPub), nil, r, ""},
		"PKIX Ed25519":            {pkix(ed), nil, keys.EdDSA, ""},
		"PKCS 1":                  {pkcs1, nil, r, ""},
		"certificate":             {certificate, nil, e, ""},
		"first algorithm":         {pkix(rsaPub), []keys.Algorithm{p, r}, p, ""},
		"first one that fits":     {pkix(rsaPub), []keys.Algorithm{e, p}, p, ""},
		"text before":             {"Certificate:\n  Data:\n" + certificate, nil, e, ""},
		"none that fits":          {pkix(rsaPub), []keys.Algorithm{e}, "", "none of the algorithms"},
		"a curve nobody knows":    {pkix(p224.Public()), nil, "", "none of the algorithms"},
		"weak":                    {pkix(weakRSA()), nil, "", "weak key"},
		"two":                     {certificate + certificate, nil, "", "more than one PEM block"},
		"text behind":             {certificate + "x", nil, "", "text behind"},
		"private":                 {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), nil, "", "is a private key"},
		"private with its type":   {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", nil, "", "is a private key"},
		"something else":          {"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n", nil, "", "neither a public key nor a certificate"},
		"broken":                  {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", nil, "", "read the public key"},
		"no PEM":                  {"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", nil, "", "no PEM block"},
		"JWKS instead of a PEM":   {mustDocument(t, "a"), nil, "", "no PEM block"},
		"certificate that is cut": {certificate[:len(certificate)/2], nil, "", "no PEM block"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key.pem")
			mustWrite(t, path, tt.content)
			i, err := remote.Open(t.Context(), []remote.Spec{{Issuer: issuerA, KeyFile: path, Algorithms: tt.algorithms}}, remote.Config{})
			if tt.err != "" {
				wantError(t, err, tt.err, `issuer "`+issuerA+`": key_file `+path+": ")
				if err != nil && strings.Contains(err.Error(), "MFkwEw") {
					t.Errorf("the error shows the file: %v", err)
				}
				return
			}
			must(t, err)
			defer i.Close()
			all := keysOf(i).Set().Keys()
			if len(all) != 1 || all[0].Algorithm() != tt.want {
				t.Fatalf("the set is %v", all)
			}
			if same, err := keys.NewKey(all[0].Public(), tt.want); err != nil || same.ID() != all[0].ID() {
				t.Errorf("the id %q is not the thumbprint", all[0].ID())
			}
		})
	}
}
