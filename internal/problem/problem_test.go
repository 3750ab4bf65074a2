package problem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/problem"
)

func TestWrite(t *testing.T) {
	tests := []struct {
		name   string
		in     problem.Details
		status int
		body   string
	}{
		{
			name: "status alone", in: problem.Details{Status: 404}, status: 404,
			body: `{"type":"about:blank","title":"Not Found","status":404}`,
		},
		{
			name: "nothing at all is a 500", in: problem.Details{}, status: 500,
			body: `{"type":"about:blank","title":"Internal Server Error","status":500}`,
		},
		{
			name: "a success is no problem", in: problem.Details{Status: 200}, status: 500,
			body: `{"type":"about:blank","title":"Internal Server Error","status":500}`,
		},
		{
			name: "a status without a phrase", in: problem.Details{Status: 499}, status: 499,
			body: `{"type":"about:blank","title":"Error","status":499}`,
		},
		{
			name: "all members",
			in: problem.Details{
				Type: "https://tollgate.example/problems/kind", Title: "Unknown kind", Status: 422,
				Detail: `"<jit>" is no kind`, Code: "invalid_kind",
				Errors: []problem.FieldError{{Pointer: "/kind", Detail: "unknown"}, {Detail: "two faults"}},
			},
			status: 422,
			body: `{"type":"https://tollgate.example/problems/kind","title":"Unknown kind","status":422,` +
				`"detail":"\"<jit>\" is no kind","code":"invalid_kind",` +
				`"errors":[{"pointer":"/kind","detail":"unknown"},{"detail":"two faults"}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			problem.Write(rec, tt.in)
			if rec.Code != tt.status {
				t.Errorf("status %d, want %d", rec.Code, tt.status)
			}
			if diff := cmp.Diff(tt.body+"\n", rec.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if !json.Valid(rec.Body.Bytes()) {
				t.Error("body is not JSON")
			}
		})
	}
}

func TestWriteHeaders(t *testing.T) {
	rec := httptest.NewRecorder()
	for k, v := range map[string]string{
		"Retry-After": "3", "Content-Length": "7", "Content-Encoding": "gzip",
		"ETag": `"x"`, "Cache-Control": "public, max-age=300",
	} {
		rec.Header().Set(k, v)
	}
	problem.Write(rec, problem.Details{Status: http.StatusServiceUnavailable})
	want := http.Header{
		"Retry-After": {"3"}, "Content-Type": {"application/problem+json"},
		"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
	}
	if diff := cmp.Diff(want, rec.Result().Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}
