package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// TestEdgesCommand: edges of a running system, and a revocation that waits for one
// that never applies it: it is done all the same, and says so.
func TestEdgesCommand(t *testing.T) {
	s := mustSystem(t)
	t.Setenv("TOLLGATE_ADMIN_TOKEN", rootToken)
	tollgate := func(args ...string) (out, errOut string) {
		t.Helper()
		var o, e bytes.Buffer
		if code := run(append(args, "--server", s.Admin), strings.NewReader(""), &o, &e); code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, e.String())
		}
		return o.String(), e.String()
	}
	client := testkit.MustClient(t, s.Redis.Addr)
	r, err := revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: client, Prefix: "tg:", Name: "the-edge", Version: "v9", ClosesAfter: func() time.Duration { return time.Minute },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	table, _ := tollgate("edges")
	for _, want := range []string{"NAME", "CLOSES AFTER", "the-edge", "loading", "1m0s", "v9"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %s in\n%s", want, table)
		}
	}
	if out, _ := tollgate("edges", "-o", "json"); !strings.Contains(out, `"name": "the-edge"`) || !strings.Contains(out, `"closes_after": "1m0s"`) {
		t.Errorf("json: %s", out)
	}
	out, said := tollgate("revoke", "jti", "j1", "--yes", "--wait", "100ms", "-o", "json")
	if !strings.Contains(out, `"edges"`) || !strings.Contains(said, "have applied it so far") {
		t.Errorf("%s\n%s", out, said)
	}
	if _, said := tollgate("revoke", "jti", "j2", "--yes"); said != "" {
		t.Errorf("without waiting: %s", said)
	}
	for flags, found := range map[string]bool{"--kind jti": true, "--kind session": false, "--issuer " + testIssuer: true, "--issuer https://other.example": false, "--subject 1": false} {
		out, _ := tollgate(append([]string{"revocations", "list"}, strings.Fields(flags)...)...)
		if strings.Contains(out, "j2") != found {
			t.Errorf("%s: %s", flags, out)
		}
	}
	var o, e bytes.Buffer
	if code := run([]string{"revoke", "jti", "j3", "--yes", "--wait", "31s", "--server", s.Admin}, strings.NewReader(""), &o, &e); code != exitUsage || !strings.Contains(e.String(), "30s") {
		t.Errorf("exit %d: %s", code, e.String())
	}
}

// TestFrozenRedisIsAnsweredInTime: the whole program, with Redis stopped: an
// administrator's revocation is answered by 503 that says what is known: without its line in the audit log nothing
// was done. The bound is thrice what is promised.
func TestFrozenRedisIsAnsweredInTime(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_REDIS_OP_TIMEOUT=100ms")
	s.Redis.MustPause()
	t.Cleanup(s.Redis.MustContinue)
	for _, kind := range []string{"jti", "subject", "session", "key"} {
		begun := time.Now()
		r, err := s.send("POST", s.Admin+"/admin/v1/revocations", `{"kind":"`+kind+`","value":"x","wait":"10s"}`, "Authorization", "Bearer "+rootToken, "Content-Type", "application/json")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s", kind, time.Since(begun))
		if took := time.Since(begun); r.Status != 503 || took > 1500*time.Millisecond || !strings.Contains(r.Body, "nothing was done") {
			t.Errorf("%s: %d after %s: %s", kind, r.Status, took, r.Body)
		}
	}
}
