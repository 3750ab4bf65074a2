package ring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// kms is the local stand-in for an external signer: it makes keys, keeps them, and
// signs digests. It is as short as such a service can be before a PKCS #11 module.
type kms struct {
	mu   sync.Mutex // guards all below
	keys map[string]crypto.Signer
	asks []map[string]string // the bodies of /sign
	auth []string            // who asked
	fail int                 // status of every answer
	lie  string              // what is wrong with an answer
}

func (s *kms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := r.Header.Get("Authorization")
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		who = "certificate " + r.TLS.PeerCertificates[0].Subject.CommonName
	}
	s.auth = append(s.auth, who)
	var q map[string]string
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if s.fail != 0 {
		w.WriteHeader(s.fail)
		return
	}
	switch r.URL.Path {
	case "/kms/keys":
		s.create(w, keys.Algorithm(q["alg"]))
	case "/kms/sign":
		s.asks = append(s.asks, q)
		s.sign(w, q)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *kms) create(w http.ResponseWriter, alg keys.Algorithm) {
	priv, err := ring.Generate(alg)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	public, _ := keys.NewKey(priv.Public(), alg)
	doc, _ := public.JWK()
	name := fmt.Sprintf("projects/p/keys/%d", len(s.keys)+1)
	if s.keys[name] = priv; s.lie == "private jwk" {
		doc = []byte(strings.Replace(string(doc), `{`, `{"d":"AAAA",`, 1))
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"key": name, "jwk": json.RawMessage(doc)})
}

func (s *kms) sign(w http.ResponseWriter, q map[string]string) {
	priv := s.keys[q["key"]]
	if s.lie == "another key" {
		priv = s.keys["projects/p/keys/1"]
	}
	alg := keys.Algorithm(q["alg"])
	input, err := base64.RawURLEncoding.DecodeString(q["digest"] + q["payload"])
	if priv == nil || err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var sig []byte
	switch k := priv.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, k, input)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		n := (k.Params().BitSize + 7) / 8
		sig = slices.Concat(r.FillBytes(make([]byte, n)), v.FillBytes(make([]byte, n)))
	case *rsa.PrivateKey:
		opts := crypto.SignerOpts(alg.Hash())
		if alg[0] == 'P' {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: alg.Hash()}
		}
		sig, _ = k.Sign(rand.Reader, input, opts)
	default:
		sig, _ = k.Sign(rand.Reader, input, crypto.Hash(0))
	}
	text := base64.RawURLEncoding.EncodeToString(sig)
	if s.lie == "no base64" {
		text = "%"
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"signature": text})
}

func (s *kms) set(lie string, fail int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie, s.fail = lie, fail
}

func mustHTTPSigner(t *testing.T, address string, client *http.Client, token string) *ring.HTTPSigner {
	t.Helper()
	u, err := url.Parse(address + "/kms")
	if err != nil {
		t.Fatal(err)
	}
	// The service makes its keys while it is asked: an RSA key takes a busy machine long.
	s, err := ring.NewHTTPSigner(ring.HTTPSignerConfig{URL: u, Token: token, Client: client, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExternalSigner: with every algorithm the ring holds a reference and the
// public half, tokens verify, and no claim goes to the service but for EdDSA.
func TestExternalSigner(t *testing.T) {
	service := &kms{keys: map[string]crypto.Signer{}}
	server := httptest.NewServer(service)
	defer server.Close()
	for _, alg := range []keys.Algorithm{keys.ES256, keys.ES384, keys.ES512, keys.RS256, keys.PS384, keys.EdDSA} {
		t.Run(string(alg), func(t *testing.T) {
			st := newShaky()
			cfg := config(st)
			cfg.Settings.Algorithms, cfg.ConfirmWithin = []keys.Algorithm{alg}, time.Minute
			cfg.External = mustHTTPSigner(t, server.URL, nil, "s3cret")
			m := mustOpen(t, cfg)
			raw, kid, err := m.Sign(t.Context(), []byte(`{"sub":"ada"}`), "JWT")
			if err != nil {
				t.Fatal(err)
			}
			mustVerify(t, m.Set(), raw, kid)
			for _, k := range st.mustLoad(t).Keys {
				if k.Private != nil || !strings.HasPrefix(k.Reference, "projects/p/keys/") {
					t.Errorf("%s key: private %v, reference %q", k.State, k.Private != nil, k.Reference)
				}
			}
			last := service.asks[len(service.asks)-1]
			if (last["digest"] == "") != (alg == keys.EdDSA) || (last["payload"] == "") == (alg == keys.EdDSA) || last["kid"] != kid {
				t.Errorf("asked with %v", last)
			}
			if got := service.auth[len(service.auth)-1]; got != "Bearer s3cret" {
				t.Errorf("authorised by %q", got)
			}
			// A retired external key is as published as any.
			if _, _, err := m.Rotate(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			mustVerify(t, m.Set(), raw, kid)
		})
	}
}

// TestExternalSignerByCertificate: mutual TLS says who asks.
func TestExternalSignerByCertificate(t *testing.T) {
	service := &kms{keys: map[string]crypto.Signer{}}
	server := httptest.NewUnstartedServer(service)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	own := server.TLS.Certificates[0] // any certificate does for the stand-in
	with := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}}}
	without := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer with.CloseIdleConnections()
	if _, err := mustHTTPSigner(t, server.URL, with, "").Generate(t.Context(), keys.ES256); err != nil {
		t.Error(err)
	}
	if got := service.auth[0]; !strings.HasPrefix(got, "certificate") {
		t.Errorf("authorised by %q", got)
	}
	if _, err := mustHTTPSigner(t, server.URL, without, "").Generate(t.Context(), keys.ES256); err == nil {
		t.Error("a key without a certificate")
	}
}

// TestExternalSignerInTrouble: nothing is signed, nothing secret is told, and the
// ring is none the worse.
func TestExternalSignerInTrouble(t *testing.T) {
	service := &kms{keys: map[string]crypto.Signer{}}
	server := httptest.NewServer(service)
	defer server.Close()
	cfg := config(newShaky())
	cfg.External = mustHTTPSigner(t, server.URL, nil, "s3cret")
	m := mustOpen(t, cfg)
	first := m.Ring().Version
	if _, _, err := m.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lie  string
		fail int
		want string
	}{
		{"another key", 0, "not the signature"},
		{"no base64", 0, "not base64url"},
		{"", 500, "answered 500"},
		{"", 302, "answered 302"},
		{"", 204, "answered 204"},
	} {
		service.set(c.lie, c.fail)
		raw, _, err := m.Sign(t.Context(), []byte(`{"sub":"ada"}`), "JWT")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%q %d: %q, %v", c.lie, c.fail, raw, err)
		}
	}
	// A key cannot be made: the ring stays, and signs when the service is back.
	for _, lie := range []string{"private jwk", ""} {
		service.set(lie, map[string]int{"": 503}[lie])
		if _, _, err := m.Rotate(t.Context(), true); err == nil {
			t.Errorf("%q: a key was made", lie)
		}
	}
	service.set("", 0)
	if raw, kid, err := m.Sign(t.Context(), []byte(`{}`), ""); err != nil || m.Ring().Version != first+1 {
		t.Errorf("version %d: %v", m.Ring().Version, err)
	} else {
		mustVerify(t, m.Set(), raw, kid)
	}
}

// TestExternalKeyWithoutItsSigner: an instance that was not told of the signer
// publishes the keys and signs nothing.
func TestExternalKeyWithoutItsSigner(t *testing.T) {
	server := httptest.NewServer(&kms{keys: map[string]crypto.Signer{}})
	defer server.Close()
	st := newShaky()
	cfg := config(st)
	cfg.External = mustHTTPSigner(t, server.URL, nil, "")
	mustOpen(t, cfg)
	m := mustOpen(t, config(st))
	if _, _, err := m.Sign(t.Context(), []byte(`{}`), ""); err == nil || m.Set().Len() != 2 {
		t.Errorf("%d keys, %v", m.Set().Len(), err)
	}
}

// TestNoKeyIsMadeTwice: what was made for a write that another instance was faster
// than is used for the next one; a service would be left with it.
func TestNoKeyIsMadeTwice(t *testing.T) {
	service := &kms{keys: map[string]crypto.Signer{}}
	server := httptest.NewServer(service)
	defer server.Close()
	st := newShaky()
	cfg := config(st)
	cfg.External = mustHTTPSigner(t, server.URL, nil, "")
	m := mustOpen(t, cfg)
	made := len(service.keys)
	st.before = func(ring.Ring) { // somebody is faster
		r := st.mustLoad(t)
		st.put(t, r.Reseal())
	}
	if _, _, err := m.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if got := len(service.keys) - made; got != 1 {
		t.Errorf("%d keys were made for one rotation", got)
	}
}

func TestSignerAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"https://kms.example": true, "http://127.0.0.1:1/x": true, "http://localhost:1": true, "http://[::1]:1": true,
		"http://kms.example": false, "ftp://kms.example": false, "https://": false, "http://127.evil.example": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.NewHTTPSigner(ring.HTTPSignerConfig{URL: u}); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := ring.NewHTTPSigner(ring.HTTPSignerConfig{}); err == nil {
		t.Error("no address")
	}
}

// TestReferencesAreKept: a store gives back what it was given, and no half key.
func TestReferencesAreKept(t *testing.T) {
	server := httptest.NewServer(&kms{keys: map[string]crypto.Signer{}})
	defer server.Close()
	cfg := config(nil)
	store := keystore.NewFile(t.TempDir(), keystore.FileOptions{})
	cfg.Store, cfg.External = store, mustHTTPSigner(t, server.URL, nil, "")
	mustOpen(t, cfg)
	r, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, r)
	for _, k := range r.Keys {
		if k.Reference == "" {
			t.Errorf("key %s lost its reference", k.ID)
		}
	}
	r.Keys[0].Private, _ = ring.Generate(keys.ES256)
	if err := store.Swap(t.Context(), r.Version, ring.Ring{Issuer: r.Issuer, Version: r.Version + 1, Keys: r.Keys}); err == nil || errors.Is(err, ring.ErrConflict) {
		t.Errorf("an external key with a private half: %v", err)
	}
}
