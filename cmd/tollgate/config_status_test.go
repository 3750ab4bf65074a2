package main

import (
	"strings"
	"testing"
)

func TestStatusListSettings(t *testing.T) {
	on := func(more map[string]string) map[string]string {
		more["TOLLGATE_STATUS_LIST"] = "true"
		return with(more)
	}
	for issuer, want := range map[string]string{
		"https://auth.example.com": "https://auth.example.com", "http://127.0.0.1:8080/": "http://127.0.0.1:8080",
		"https://example.com/tenant/a": "https://example.com",
	} {
		if got := mustLoad(t, on(map[string]string{"TOLLGATE_ISSUER": issuer})).publicURL(); got != want {
			t.Errorf("issuer %s: %q", issuer, got)
		}
	}
	c := mustLoad(t, on(map[string]string{"TOLLGATE_ISSUER": "shop", "TOLLGATE_PUBLIC_URL": "https://id.example.com/base/"}))
	if got := c.publicURL(); got != "https://id.example.com/base" {
		t.Errorf("public URL %q", got)
	}
	for _, tt := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"TOLLGATE_ISSUER": "shop"}, "TOLLGATE_PUBLIC_URL is required with TOLLGATE_STATUS_LIST"},
		{map[string]string{"TOLLGATE_PUBLIC_URL": "https://x/?y"}, "TOLLGATE_PUBLIC_URL has a query"},
		{map[string]string{"TOLLGATE_CLAIMS": "a=b,Status=c"}, "TOLLGATE_CLAIMS \"Status\" is the claim of TOLLGATE_STATUS_LIST"},
		{map[string]string{"TOLLGATE_USER_ID_CLAIM": "status"}, "TOLLGATE_USER_ID_CLAIM is the claim of TOLLGATE_STATUS_LIST"},
	} {
		if got := faultsOf(t, on(tt.env)); len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
			t.Errorf("%v: faults %q", tt.env, got)
		}
	}
	if got := mustLoad(t, with(map[string]string{"TOLLGATE_CLAIMS": "status=b", "TOLLGATE_ISSUER": "shop"})).publicURL(); got != "" {
		t.Errorf("without status lists a claim status is anybody's, and there is no URL: %q", got)
	}
}
