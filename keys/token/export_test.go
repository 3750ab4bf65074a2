package token

import "context"

// SignatureHolds takes a token through the path as far as its signature. The
// published vectors sign other things than claims, and Authenticate would not
// come so far with them.
func SignatureHolds(raw string, issuer *Issuer) error {
	c, refusal := split(raw, 8192)
	if refusal != nil {
		return refusal
	}
	h, refusal := parseHeader(c.header)
	if refusal != nil {
		return refusal
	}
	key, refusal := issuer.keyOf(context.Background(), h)
	if refusal != nil {
		return refusal
	}
	return key.Verify([]byte(c.signed), c.signature)
}

// Memos counts what is kept beside an identity.
func Memos(id *Identity) (n int) {
	for m := id.memos.Load(); m != nil; m = m.next {
		n++
	}
	return n
}

// Parse takes a token through what comes before any key: its form, header and claims.
func Parse(raw string) error {
	c, refusal := split(raw, 8192)
	if refusal != nil {
		return refusal
	}
	if _, refusal = parseHeader(c.header); refusal != nil {
		return refusal
	}
	_, err := parseObject(c.payload)
	return err
}

// Digest makes the name under which a token is remembered.
func Digest(raw string) { _ = digestOf(raw) }
