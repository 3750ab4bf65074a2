package main

import (
	"testing"
	"time"

	"tollgate/keys/keystore"
)

// TestKeysOutliveTheirTokens: a retired key stays published for as long as any token
// that it signed is accepted, whichever kind lives longest.
func TestKeysOutliveTheirTokens(t *testing.T) {
	for name, row := range map[string]struct {
		env  map[string]string
		life time.Duration
	}{
		"refresh":               {map[string]string{"TOLLGATE_REFRESH_TTL": "48h"}, 48 * time.Hour},
		"access":                {map[string]string{"TOLLGATE_ACCESS_TTL": "30h"}, 30 * time.Hour},
		"sliding":               {map[string]string{"TOLLGATE_SLIDING_TTL": "50h"}, 50 * time.Hour},
		"no longer than a line": {map[string]string{"TOLLGATE_SESSION_MAX_TTL": "12h", "TOLLGATE_REFRESH_TTL": "48h", "TOLLGATE_SLIDING_TTL": "48h"}, 12 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			row.env["TOLLGATE_LEEWAY"] = "1m"
			c := mustLoad(t, with(row.env))
			if got := c.ringConfig(keystore.NewMemory()).Settings.TokenLife; got != row.life+time.Minute {
				t.Errorf("keys are published for %s, want %s", got, row.life+time.Minute)
			}
			if own := c.Tokens.AccessTTL.Value; own > row.life { // a client's token, and an impersonation's, live at most as long
				t.Errorf("an access token lives %s", own)
			}
		})
	}
}
