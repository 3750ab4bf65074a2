package ring

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"tollgate/keys"
)

// HTTPSignerConfig says where an external signer is. URL is required.
type HTTPSignerConfig struct {
	// URL is where the signer's two endpoints are: URL/keys and URL/sign. https, or
	// http on a loopback address.
	URL *url.URL
	// Token goes with each request as Authorization: Bearer. Empty: none, where
	// the client's certificate says who asks.
	Token string
	// Timeout of one request. Zero: 2 s.
	Timeout time.Duration
	// Client asks; its transport may have a client certificate. Redirects are not
	// followed. Nil: a client without a proxy from the environment.
	Client *http.Client
}

// HTTPSigner is the Signer whose private halves stay in another service: a key
// management service, or a small program before a PKCS #11 module. Each request
// is a POST with a JSON object:
//
//	URL/keys  {"alg"}                            -> 201 {"key", "jwk"}
//	URL/sign  {"key", "kid", "alg", "digest"}    -> 200 {"signature"}
//	URL/sign  {"key", "kid", "alg", "payload"}   -> 200 {"signature"}, for EdDSA
//
// "key" is what the service calls the key, "jwk" its public half. A digest is
// that of the signing input by the algorithm's hash, so that no claim leaves this
// process; EdDSA signs the input itself (RFC 8032 section 5.1). Digest, payload
// and signature are base64url without padding, the signature as RFC 7518 and RFC
// 8037 have it: r and s next to each other for ECDSA. What comes back is verified
// before it is used.
type HTTPSigner struct {
	cfg  HTTPSignerConfig
	base string
}

var _ Signer = (*HTTPSigner)(nil)

// NewHTTPSigner checks the configuration. It does not ask the service.
func NewHTTPSigner(c HTTPSignerConfig) (*HTTPSigner, error) {
	switch {
	case c.URL == nil || c.URL.Host == "":
		return nil, errors.New("external signer: no address")
	case c.URL.Scheme != "https" && (c.URL.Scheme != "http" || !loopback(c.URL.Hostname())):
		return nil, errors.New("external signer: the address is neither https nor http on loopback")
	case c.Timeout < 0:
		return nil, errors.New("external signer: negative timeout")
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10}}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	return &HTTPSigner{cfg: c, base: strings.TrimSuffix(c.URL.String(), "/")}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Generate asks the service for a new key.
func (h *HTTPSigner) Generate(ctx context.Context, alg keys.Algorithm) (Pair, error) {
	var made struct {
		Key string          `json:"key"`
		JWK json.RawMessage `json:"jwk"`
	}
	if err := h.ask(ctx, "/keys", http.StatusCreated, map[string]string{"alg": string(alg)}, &made); err != nil {
		return Pair{}, fmt.Errorf("external signer: make a key: %w", err)
	}
	doc, err := json.Marshal(map[string][]json.RawMessage{"keys": {made.JWK}})
	if err != nil {
		return Pair{}, errors.New("external signer: make a key: the answer has no JWK")
	}
	// As strict as with anybody's keys: a private member in it would be one that
	// left its place.
	set, faults := keys.ParseJWKS(doc, []keys.Algorithm{alg})
	if len(faults) > 0 || set.Len() != 1 || made.Key == "" {
		return Pair{}, fmt.Errorf("external signer: make a key: the answer has no usable public key for %s: %w", alg, errors.Join(faults...))
	}
	return Pair{Public: set.Keys()[0].Public(), Reference: made.Key}, nil
}

// Sign asks the service for a signature and verifies it.
func (h *HTTPSigner) Sign(ctx context.Context, k Key, input []byte) ([]byte, error) {
	body := map[string]string{"key": k.Reference, "kid": k.ID, "alg": string(k.Algorithm)}
	if hash := k.Algorithm.Hash(); hash != 0 {
		body["digest"] = base64.RawURLEncoding.EncodeToString(digest(hash, input))
	} else {
		body["payload"] = base64.RawURLEncoding.EncodeToString(input)
	}
	var signed struct {
		Signature string `json:"signature"`
	}
	if err := h.ask(ctx, "/sign", http.StatusOK, body, &signed); err != nil {
		return nil, fmt.Errorf("external signer: %w", err)
	}
	sig, err := base64.RawURLEncoding.DecodeString(signed.Signature)
	if err != nil {
		return nil, errors.New("external signer: the signature is not base64url")
	}
	pub, err := keys.NewKeyWithID(k.ID, k.Public, k.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("external signer: %w", err)
	}
	if err := pub.Verify(input, sig); err != nil {
		return nil, fmt.Errorf("external signer: it is not the signature of key %s: %w", k.ID, err)
	}
	return sig, nil
}

func digest(hash crypto.Hash, input []byte) []byte {
	h := hash.New()
	h.Write(input)
	return h.Sum(nil)
}

// maxSignerAnswer is more than a JWK with an RSA key of 8192 bits takes.
const maxSignerAnswer = 16 << 10

func (h *HTTPSigner) ask(ctx context.Context, path string, want int, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+path, bytes.NewReader(text))
	if err != nil {
		return errors.New("the address cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tollgate")
	if h.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+h.cfg.Token)
	}
	res, err := h.cfg.Client.Do(req)
	if err != nil {
		// url.Error repeats the address, in which there may be a password.
		if named, ok := errors.AsType[*url.Error](err); ok {
			err = named.Err
		}
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxSignerAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode != want {
		return fmt.Errorf("the service answered %d", res.StatusCode)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return errors.New("the answer is not the JSON that was asked for")
	}
	return nil
}
