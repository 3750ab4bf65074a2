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

// TestRecoverTakesOneDecision: of each issuer it is said whether its sessions end or its
// loss is accepted, and ending all without names ends all that is trusted. To ask first
// gets the same answer and does nothing.
func TestRecoverTakesOneDecision(t *testing.T) {
	for _, row := range []struct {
		body    string
		status  int
		issuers []string
		code    string // of a refusal, or the members of the answer
	}{
		{`{"accept_loss": true}`, http.StatusOK, nil, `"accepted":["https://other.test","https://own.test"]`},
		{`{"end_all": true}`, http.StatusOK, []string{"https://other.test", "https://own.test"}, `{"mode":"end_all","issuers":["https://other.test","https://own.test"]}`},
		{`{"end_all": true, "issuers": ["https://own.test", "https://other.test"]}`, http.StatusOK, []string{"https://own.test", "https://other.test"}, `"https://other.test"]}`},
		{`{"end_all": true, "issuers": ["https://other.test"], "accept_loss": true}`, http.StatusOK, []string{"https://other.test"}, `"accepted":["https://own.test"]`},
		{`{"end_all": true, "issuers": ["https://other.test"]}`, http.StatusUnprocessableEntity, nil, "issuers_left_out"},
		{`{"end_all": true, "issuers": ["https://own.test"]}`, http.StatusUnprocessableEntity, nil, "issuers_left_out"},
		{`{"end_all": true, "issuers": ["https://other.test", "https://own.test", "https://typo.test"]}`, http.StatusUnprocessableEntity, nil, "issuer_unknown"},
		{`{"end_all": true, "issuers": ["https://typo.test"], "accept_loss": true}`, http.StatusUnprocessableEntity, nil, "issuer_unknown"},
		{`{"end_all": true, "issuers": [""], "accept_loss": true}`, http.StatusUnprocessableEntity, nil, "issuer_unknown"},
		{`{}`, http.StatusBadRequest, nil, ""},
		{`{"accept_loss": true, "end_all": true}`, http.StatusBadRequest, nil, ""},
		{`{"accept_loss": true, "end_all": true, "issuers": []}`, http.StatusBadRequest, nil, ""},
		{`{"accept_loss": true, "issuers": ["https://other.test"]}`, http.StatusBadRequest, nil, ""},
		{`{"accept_loss": "yes"}`, http.StatusBadRequest, nil, ""},
	} {
		var told *revocation.Recovery
		a := &Admin{Config: Config{
			Issuer: "https://own.test", Log: slog.New(slog.DiscardHandler),
			Issuers: func() []string { return []string{"https://other.test"} },
			Recover: func(_ context.Context, how revocation.Recovery) error { told = &how; return nil },
		}}
		ask := func(handle func(*Admin, echo.Context) error) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			c := echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body)), w)
			if err := handle(a, c); err != nil {
				a.answer(c, err)
			}
			return w
		}
		asked := ask((*Admin).checkRecover)
		if told != nil {
			t.Errorf("%s: something was done before it was ordered", row.body)
		}
		w := ask((*Admin).recover)
		if w.Code != row.status || (told != nil) != (row.status == http.StatusOK) || told != nil && (!slices.Equal(told.Issuers, row.issuers) || !told.Endless("https://other.test") || told.Endless("https://own.test")) {
			t.Errorf("%s: %d %s, told %+v", row.body, w.Code, w.Body, told)
		}
		if !strings.Contains(w.Body.String(), row.code) || asked.Code != w.Code || asked.Body.String() != w.Body.String() {
			t.Errorf("%s: %s, want %s; asked before: %d %s", row.body, w.Body, row.code, asked.Code, asked.Body)
		}
	}
}
