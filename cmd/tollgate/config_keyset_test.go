package main

import (
	"strings"
	"testing"
)

func TestRotationFasterThanTokensDie(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		warn string // part of the warning; empty: none
	}{
		"default":             {nil, ""},
		"an hour":             {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "1h"}, ""},
		"by hand":             {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "0"}, ""},
		"as fast as can be":   {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "15m"}, ""},
		"much too fast":       {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "1m", "TOLLGATE_KEY_PREPUBLISH": "30s"}, "From 15m0s on there is room"},
		"more algorithms":     {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "15m", "TOLLGATE_SIGNING_ALG": "ES256,RS256"}, "From 31m0s on there is room"},
		"tokens die as fast":  {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "1m", "TOLLGATE_KEY_PREPUBLISH": "30s", "TOLLGATE_REFRESH_TTL": "10m"}, ""},
		"without the issuer":  {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "1m", "TOLLGATE_KEY_PREPUBLISH": "30s", "TOLLGATE_ENABLE_ISSUER": "false"}, ""},
		"a fault says it all": {map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, with(c.env))
			loaded, _ := loadConfig(nil) // warnings are there beside faults, too
			got := ""
			for _, w := range loaded.Warnings {
				if strings.Contains(w, "TOLLGATE_KEY_ROTATE_EVERY") {
					got += w
				}
			}
			if (got == "") != (c.warn == "") || !strings.Contains(got, c.warn) {
				t.Errorf("warned %q, want %q", got, c.warn)
			}
		})
	}
}
