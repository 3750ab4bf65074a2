package statuslist

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// Document is a signed document, ready to be served.
type Document struct {
	Body   []byte        // compact JWS
	ETag   string        // of these very bytes, with the quotes
	MaxAge time.Duration // for how long a cache on the way may keep it
}

// document is a signed document with its age.
type document struct {
	body  []byte
	etag  string
	built time.Time // when what it says held
	most  time.Duration
}

// stamp are the claims that both kinds of documents have.
type stamp struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"` // the document's own URL
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	TTL       int64  `json:"ttl"` // seconds
}

func (l *Lists) stamp(url string, now time.Time) stamp {
	return stamp{l.Issuer, url, now.Unix(), now.Add(Life).Unix(), int64(TTL / time.Second)}
}

// finish signs a document of claims that held at now.
func (l *Lists) finish(ctx context.Context, claims any, typ string, now time.Time, most time.Duration) (document, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return document{}, fmt.Errorf("write document: %w", err)
	}
	raw, _, err := l.Sign(ctx, payload, typ)
	if err != nil {
		return document{}, fmt.Errorf("%w: sign: %w", ErrUnavailable, err)
	}
	sum := sha256.Sum256([]byte(raw))
	// With the signature in it: a copy that was signed again lives longer, so it is
	// another one to whoever holds the old.
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return document{body: []byte(raw), etag: tag, built: now, most: most}, nil
}

// current reports whether a document is young enough to be served.
func (d document) current(now time.Time) bool {
	age := now.Sub(d.built)
	return d.body != nil && age >= 0 && age < d.most
}

// served is the document as it is now. Caches on the way keep it no longer than this
// process does.
func (d document) served(now time.Time) *Document {
	return &Document{Body: d.body, ETag: d.etag, MaxAge: max(0, d.most-now.Sub(d.built))}
}
