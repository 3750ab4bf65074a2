//go:build interop

// Package caddy_test runs Debian's Caddy with this folder's Caddyfile in front of
// a back end. It needs caddy and redis-server.
package caddy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// around goes before the site: no certificates, no admin API, loopback alone.
const around = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n\n"

func TestForwardAuth(t *testing.T) {
	b := interop.MustBackend(t)
	front := interop.MustFront(t, interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": b.Addr}), b)
	port := testkit.MustFreePort(t)
	front.Addr = fmt.Sprintf("127.0.0.1:%d", port)
	site := interop.MustRender(t, "Caddyfile", map[string]string{
		"\n:80 {": fmt.Sprintf("\nhttp://:%d {", port), "forward_auth 127.0.0.1:8080": "forward_auth " + front.Tollgate.Addr,
		"reverse_proxy 127.0.0.1:8000": "reverse_proxy " + b.Addr,
	})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(around+site), 0o600); err != nil {
		t.Fatal(err)
	}
	caddy := interop.MustStart(t, dir, []string{"XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, "caddy", "run")
	caddy.MustListen(front.Addr)
	front.Check(t)
}
