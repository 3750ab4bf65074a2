package issuer

import (
	"net/http/httptest"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
)

// TestNetwork: what is counted as one address.
func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "@": "@", "": "",
	} {
		if got := Network(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestThrottle: by address and by name apart, whatever a name's case; an address that
// is refused does not use up a name.
func TestThrottle(t *testing.T) {
	mini, client := testkit.MustMini(t)
	mini.SetTime(time.Now()) // nothing is due again meanwhile
	i := &Issuer{Config: Config{Limiter: ratelimit.NewRedis(client, "t:"), LoginRate: ratelimit.Rate{Limit: 2, Per: time.Hour, Burst: 2}, Metrics: telemetry.NewMetrics(telemetry.Build{})}}
	try := func(remote, name string) bool {
		c := &call{w: httptest.NewRecorder(), r: httptest.NewRequest("POST", "/", nil), record: &telemetry.Record{Remote: remote}}
		return i.throttle(c, name) == nil
	}
	for n, row := range []struct {
		remote, name string
		allowed      bool
	}{
		{"192.0.2.1", "ada", true}, {"192.0.2.1", "bob", true}, {"192.0.2.1", "ada", false}, {"192.0.2.1", "carol", false},
		{"192.0.2.2", "ADA", true}, {"192.0.2.3", "ada", false}, {"192.0.2.2", "carol", true}, {"192.0.2.4", "carol", true}, {"192.0.2.4", "carol", false},
		{"2001:db8::1", "x", true}, {"2001:db8::2", "y", true}, {"2001:db8::3", "z", false}, {"2001:db8:0:1::1", "z", true},
	} {
		if try(row.remote, row.name) != row.allowed {
			t.Errorf("%d: %s from %s: allowed is not %v", n, row.name, row.remote, row.allowed)
		}
	}
	client.Close() // without Redis this process counts alone
	for n := range 3 {
		if try("192.0.2.9", "new") == (n < 2) {
			continue
		}
		t.Error("while Redis is away there is no count of this process's own")
	}
}

// TestThrottledWords: Django REST framework's singular, and no wait of nothing.
func TestThrottledWords(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "1 second.", time.Millisecond: "1 second.", time.Second: "1 second.", 1001 * time.Millisecond: "2 seconds."} {
		c := &call{w: httptest.NewRecorder()}
		f := throttled(c, wait)
		if got := f.body.(map[string]string)["detail"]; got != "Request was throttled. Expected available in "+want {
			t.Errorf("%s: %s", wait, got)
		}
	}
}
