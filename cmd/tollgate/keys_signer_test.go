package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// mustKMS is a stand-in for an external signer of ES256 keys.
func mustKMS(t *testing.T, token string) *httptest.Server {
	t.Helper()
	var mu sync.Mutex // guards made
	made := map[string]*ecdsa.PrivateKey{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var q map[string]string
		if r.Header.Get("Authorization") != "Bearer "+token || json.NewDecoder(r.Body).Decode(&q) != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/keys") {
			k, err := ring.Generate(keys.ES256)
			if err != nil {
				t.Error(err)
			}
			public, err := keys.NewKey(k.Public(), keys.ES256)
			if err != nil {
				t.Error(err)
			}
			doc, _ := public.JWK()
			name := fmt.Sprintf("key-%d", len(made))
			made[name] = k.(*ecdsa.PrivateKey)
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]any{"key": name, "jwk": json.RawMessage(doc)})
			return
		}
		digest, _ := base64.RawURLEncoding.DecodeString(q["digest"])
		a, b, err := ecdsa.Sign(rand.Reader, made[q["key"]], digest)
		if err != nil {
			t.Error(err)
		}
		sig := slices.Concat(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32)))
		_ = json.NewEncoder(w).Encode(map[string]string{"signature": base64.RawURLEncoding.EncodeToString(sig)})
	}))
	t.Cleanup(server.Close)
	return server
}

// With an external signer the whole system works, and its store has no private
// half that could leave it.
func TestKeysOutsideOfTheProcess(t *testing.T) {
	kms := mustKMS(t, "token-of-the-signer")
	s := mustSystem(t, "TOLLGATE_KEY_SIGNER_URL="+kms.URL+"/v1", "TOLLGATE_KEY_SIGNER_TOKEN=token-of-the-signer")
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	s.wantCall(p.Access, 200, "")
	r := s.mustSend("GET", s.Admin+"/admin/v1/keys", nil, bearer(rootToken)...)
	if strings.Count(r.Body, `"external":true`) != 2 {
		t.Errorf("the keys: %s", r.Body)
	}
	kms.Close()
	if r := s.mustSend("POST", s.Public+"/api/token/", map[string]string{"username": ada, "password": adaPassword}); r.Status < 500 {
		t.Errorf("a log-in without the signer: %d %s", r.Status, r.Body)
	}
	s.wantCall(p.Access, 200, "")
	if strings.Contains(s.logs.String(), "token-of-the-signer") {
		t.Error("the log shows the signer's token")
	}
}

func TestSignerSettings(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"not loopback":   {[]string{"TOLLGATE_KEY_SIGNER_URL=http://kms.example"}, "neither https nor"},
		"half a pair":    {[]string{"TOLLGATE_KEY_SIGNER_URL=https://kms.example", "TOLLGATE_KEY_SIGNER_CERT_FILE=keys_signer_test.go"}, "together or not at all"},
		"no certificate": {[]string{"TOLLGATE_KEY_SIGNER_URL=https://kms.example", "TOLLGATE_KEY_SIGNER_CA_FILE=keys_signer_test.go"}, "no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, entry := range c.env {
				variable, value, _ := strings.Cut(entry, "=")
				t.Setenv(variable, value)
			}
			_, err := loadConfig(nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
