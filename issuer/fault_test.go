package issuer

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

// brokenWriter is a client that has gone.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// TestClientGone: an answer that did not leave is not counted as delivered, and is
// not answered a second time.
func TestClientGone(t *testing.T) {
	rec := httptest.NewRecorder()
	c := &call{w: brokenWriter{rec}, r: httptest.NewRequest(http.MethodPost, "/", nil), record: &telemetry.Record{}}
	err := c.reply(http.StatusOK, struct{}{})
	if !errors.Is(err, errClientGone) || c.record.Error == "" {
		t.Fatalf("%v, %+v", err, c.record)
	}
	(&Issuer{}).answer(c, err)
	if rec.Code != http.StatusOK || c.record.Decision != "" {
		t.Errorf("answered again: %d, %+v", rec.Code, c.record)
	}
}

func TestReplyThatDoesNotEncode(t *testing.T) {
	rec := httptest.NewRecorder()
	c := &call{w: rec, r: httptest.NewRequest(http.MethodPost, "/", nil), record: &telemetry.Record{}}
	if err := c.reply(http.StatusOK, make(chan int)); err == nil || rec.Body.Len() > 0 {
		t.Errorf("%v, %q", err, rec.Body)
	}
}

// TestPeer: the address without its port, whatever the listener.
func TestPeer(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:1": "2001:db8::1", "@": "@", "": ""} {
		if got := peer(&http.Request{RemoteAddr: in}); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestPayloadOfAnUnknownClaimValue: an attribute that is no JSON is an error, not
// a token without it.
func TestPayloadOfAnUnknownClaimValue(t *testing.T) {
	s := ClaimSettings{UserIDClaim: "user_id", UserIDField: "id", Custom: []CustomClaim{{"x", "x"}}}
	i := &Issuer{Config: Config{Claims: s, Sign: func(context.Context, []byte, string) (string, string, error) {
		t.Error("signed")
		return "", "", nil
	}}}
	c := &call{record: &telemetry.Record{}}
	_, err := i.mint(t.Context(), c, users.User{ID: "1", Attributes: map[string]any{"x": func() {}}}, session.Pair{}, true, telemetry.GrantPassword)
	if err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
