package interop

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// Segment decodes one segment of a token without checking anything: 0 is its
// header, 1 its claims.
func Segment(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token with %d segments", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// Claim returns a claim of a token that is a string.
func Claim(t *testing.T, token, name string) string {
	t.Helper()
	text, ok := Segment(t, token, 1)[name].(string)
	if !ok {
		t.Fatalf("the token has no %s", name)
	}
	return text
}

// Forged names another user under the signature of the token.
func Forged(t *testing.T, token string) string {
	t.Helper()
	claims := Segment(t, token, 1)
	claims["sub"], claims["user_id"] = "root", "root"
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

// Altered changes one bit in the middle of the signature.
func Altered(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	signature[len(signature)/2] ^= 1
	parts[2] = base64.RawURLEncoding.EncodeToString(signature)
	return strings.Join(parts, ".")
}
