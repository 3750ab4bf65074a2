package main

import (
	"log/slog"
	"strings"
	"testing"

	"tollgate/internal/testkit"
)

// mustStarting is as much of the program as looks at Redis when it starts.
func mustStarting(t *testing.T, url string) (*app, *lockedBuffer) {
	t.Helper()
	c := mustLoad(t, with(map[string]string{"TOLLGATE_REDIS_URL": url}))
	clients, err := openRedis(&c.Redis, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	a := &app{config: c, redis: clients, log: slog.New(slog.NewTextHandler(log, nil))}
	t.Cleanup(a.close)
	return a, log
}

func eventuallyLogs(t *testing.T, log *lockedBuffer, want string) {
	t.Helper()
	testkit.MustAwait(t, "the line "+want, func() bool { return log.Count(want) > 0 }, log.String)
}

func TestWarningsAtStart(t *testing.T) {
	server := testkit.MustStartRedis(t, "--appendfsync", "no")
	a, log := mustStarting(t, server.URL)
	a.warnAboutRedis(t.Context())
	eventuallyLogs(t, log, "redis: the append-only file is synced when the system likes")
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "do=") {
		t.Errorf("no warning with what to do:\n%s", log)
	}
}

// TestStartDoesNotWaitForTheLook: a Redis that hangs holds nobody up.
func TestStartDoesNotWaitForTheLook(t *testing.T) {
	server := testkit.MustStartRedis(t)
	a, log := mustStarting(t, server.URL)
	server.MustPause()
	defer server.MustContinue()
	a.warnAboutRedis(t.Context())
	if log.String() != "" {
		t.Errorf("somebody waited:\n%s", log)
	}
	eventuallyLogs(t, log, "Redis was not looked at to the end")
	if strings.Contains(log.String(), "level=WARN") {
		t.Errorf("a warning about what was not seen:\n%s", log)
	}
}

func TestEmbeddedRedisIsNotLookedAt(t *testing.T) {
	a, log := mustStarting(t, "embedded:")
	a.warnAboutRedis(t.Context())
	a.close()
	if a.closeOthers != nil || log.String() != "" {
		t.Errorf("it was:\n%s", log)
	}
	a.redis = nil // closed
}
