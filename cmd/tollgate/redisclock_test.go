package main

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func TestClockSkew(t *testing.T) {
	sent := time.Now()
	for name, c := range map[string]struct {
		there, took, want time.Duration
	}{
		"the same":       {0, 0, 0},
		"within":         {time.Second, 3 * time.Second, 0},
		"we are ahead":   {-time.Hour, time.Second, time.Hour},
		"we are behind":  {time.Hour, time.Minute, -59 * time.Minute},
		"our clock fell": {0, -time.Minute, -time.Minute},
	} {
		if got := skewOf(sent, sent.Add(c.there), sent.Add(c.took)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	server := testkit.MustStartRedis(t)
	clients, err := openRedis(&mustLoad(t, with(map[string]string{"TOLLGATE_REDIS_URL": server.URL})).Redis, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Close()
	if skew, err := clockSkew(t.Context(), clients.Slow); err != nil || skew.Abs() > time.Second {
		t.Errorf("on one machine %s, %v", skew, err)
	}
	server.MustKill()
	if _, err := clockSkew(t.Context(), clients.Slow); err == nil {
		t.Error("a Redis that is away told the time")
	}
}
