package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"tollgate/revocation"
)

// TestRecoverTakesOneDecision: one of the two, never both or neither, and ending all
// without names ends all that is trusted.
func TestRecoverTakesOneDecision(t *testing.T) {
	for _, row := range []struct {
		body    string
		status  int
		issuers []string
	}{
		{`{"accept_loss": true}`, http.StatusOK, nil},
		{`{"end_all": true}`, http.StatusOK, []string{"https://other.test", "https://own.test"}},
		{`{"end_all": true, "issuers": ["https://other.test"]}`, http.StatusOK, []string{"https://other.test"}},
		{`{}`, http.StatusBadRequest, nil},
		{`{"accept_loss": true, "end_all": true}`, http.StatusBadRequest, nil},
		{`{"accept_loss": true, "issuers": ["https://other.test"]}`, http.StatusBadRequest, nil},
		{`{"accept_loss": "yes"}`, http.StatusBadRequest, nil},
	} {
		var told *revocation.Recovery
		a := &Admin{Config: Config{
			Issuer: "https://own.test", Log: slog.New(slog.DiscardHandler),
			Issuers: func() []string { return []string{"https://other.test"} },
			Recover: func(_ context.Context, how revocation.Recovery) error { told = &how; return nil },
		}}
		w := httptest.NewRecorder()
		c := echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body)), w)
		if err := a.recover(c); err != nil {
			a.answer(c, err)
		}
		if w.Code != row.status || (told != nil) != (row.status == http.StatusOK) || told != nil && (!slices.Equal(told.Issuers, row.issuers) || !told.Endless("https://other.test") || told.Endless("https://own.test")) {
			t.Errorf("%s: %d %s, told %+v", row.body, w.Code, w.Body, told)
		}
	}
}
