package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	// fetchTimeout is the deadline of one fetch, redirects and body included.
	fetchTimeout = 5 * time.Second
	maxRedirects = 3
	maxETag      = 1024
)

// newClient returns the client that is used unless the configuration brings one.
// It has no proxy from the environment: an address that an operator wrote is
// where the keys come from. It keeps no connections, as it is used every few
// minutes.
func newClient() *http.Client {
	return &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSHandshakeTimeout:    fetchTimeout,
			ResponseHeaderTimeout:  fetchTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}

// sameOrigin lets redirects change the path only. Another scheme would lose TLS,
// another host could be anything that this process can reach.
func sameOrigin(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if from, to := origin(via[0].URL), origin(req.URL); from != to {
		return fmt.Errorf("redirected from %s to %s: redirects must keep scheme and host", from, cut(to))
	}
	return nil
}

// answer is what a server said to a request for its keys.
type answer struct {
	unchanged bool // 304: what the ETag stands for is still so
	body      []byte
	etag      string
	maxAge    time.Duration
}

// get asks for the document once. With an etag it asks whether that one still
// holds; fresh asks caches on the way to look for themselves (RFC 9111 section
// 5.2.1.4). Content-Type is not looked at: many servers send a wrong one.
func get(ctx context.Context, client *http.Client, from *url.URL, etag string, fresh bool) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), http.NoBody)
	if err != nil {
		return nil, errors.New("the address cannot be asked")
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "tollgate")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	if fresh {
		req.Header.Set("Cache-Control", "no-cache")
	}
	resp, err := client.Do(req)
	if err != nil {
		// url.Error repeats the address with its query.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return &answer{unchanged: true, etag: etag, maxAge: maxAge(resp.Header)}, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server answered %d", resp.StatusCode)
	}
	body, err := readAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	a := &answer{body: body, etag: resp.Header.Get("ETag"), maxAge: maxAge(resp.Header)}
	if len(a.etag) > maxETag {
		a.etag = ""
	}
	return a, nil
}
