package upstream

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	ok := []string{"https://a.test"}
	for _, c := range []struct {
		name   string
		config Config
		want   []string
	}{
		{"nothing", Config{}, []string{"has no urls"}},
		{"urls", Config{URLs: []string{"ftp://a", "http://", "http://u:secret@a", "http://a?q", "http://a#f", ":"}}, []string{
			`"ftp://a" is neither http nor https`, `"http:" names no host`, `"http://u:xxxxx@a" may hold a scheme, a host and a path only`,
			`"http://a?q" may hold`, `"http://a#f" may hold`, "one of its urls is not a URL",
		}},
		{"all at once", Config{Balance: "random", EjectFor: -1, MaxInFlight: -1, Health: HealthConfig{Path: "x"}, CAFile: "/nonexistent/ca"}, []string{
			"has no urls", `balance is round_robin or least_conn, not "random"`, "a time is negative", "a number is negative",
			"health.path is a path that begins with '/'", "CA file: open /nonexistent/ca",
		}},
		{"health path of another host", Config{URLs: ok, Health: HealthConfig{Path: "//evil.test/"}}, []string{"health.path"}},
		{"health path with a fragment", Config{URLs: ok, Health: HealthConfig{Path: "/a#b"}}, []string{"health.path"}},
		{"mixed http2", Config{URLs: []string{"http://a", "https://b"}, HTTP2: true}, []string{"with http2 its urls are all http or all https"}},
		{"the same place twice", Config{URLs: []string{"http://A.test:80/", "http://a.test", "https://a.test", "https://a.test:443", "http://[::1]:1/x", "http://[0:0::1]:1/x/"}}, []string{
			`its urls name http://a.test:80 twice ("http://A.test:80/" and "http://a.test")`, "its urls name https://a.test:443 twice", "its urls name http://[::1]:1/x twice",
		}},
		{"TLS settings for nothing", Config{URLs: []string{"http://a"}, ServerName: "b"}, []string{"TLS settings and no https url"}},
		{"certificate without key", Config{URLs: ok, CertFile: garbage}, []string{"needs both"}},
		{"no PEM", Config{URLs: ok, CAFile: garbage, CertFile: garbage, KeyFile: garbage}, []string{"holds no certificate", "client certificate: tls:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Name = "shop"
			u, err := New(c.config)
			if err == nil || u != nil {
				t.Fatalf("got %v, %v", u, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if n := len(strings.Split(err.Error(), "\n")); n != len(c.want) {
				t.Errorf("%d faults, want %d: %v", n, len(c.want), err)
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), `upstream "shop"`) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestNeighbours are not the same place.
func TestNeighbours(t *testing.T) {
	mustUpstream(t, Config{URLs: []string{
		"http://a.test", "http://a.test:8080", "https://a.test", "http://a.test/x", "http://a.test/X", "http://a.test/x%2F", "http://b.test", "http://a.test:443",
	}})
}

func TestSame(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(ca, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := newAuthority(t)
	write(first.pem)
	base := Config{Name: "shop", URLs: []string{"https://a.test", "https://b.test"}, CAFile: ca}
	u := mustUpstream(t, base)
	if got := u.URLs(); u.Name() != "shop" || len(got) != 2 || got[1] != "https://b.test" {
		t.Errorf("%q %q", u.Name(), got)
	}
	spelled := base
	spelled.Balance, spelled.EjectAfter, spelled.IdleTimeout, spelled.Now = RoundRobin, 5, time.Minute, time.Now
	spelled.Health = HealthConfig{Every: 5 * time.Second, Unhealthy: 2}
	same := func(c Config) bool { return u.Same(mustUpstream(t, c)) }
	if !same(base) || !same(spelled) {
		t.Error("the same settings are not the same")
	}
	for name, change := range map[string]func(*Config){
		"urls":    func(c *Config) { c.URLs = c.URLs[:1] },
		"order":   func(c *Config) { c.URLs = []string{c.URLs[1], c.URLs[0]} },
		"balance": func(c *Config) { c.Balance = LeastConn },
		"health":  func(c *Config) { c.Health.Path = "/healthz" },
		"bound":   func(c *Config) { c.MaxInFlight = 1 },
		"file":    func(c *Config) { c.CAFile = "" },
	} {
		other := base
		change(&other)
		if same(other) {
			t.Errorf("%s: a change goes unnoticed", name)
		}
	}
	write(newAuthority(t).pem)
	if same(base) {
		t.Error("a renewed file goes unnoticed")
	}
}
