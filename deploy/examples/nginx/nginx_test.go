//go:build interop

// Package nginx_test runs Debian's nginx with this folder's tollgate.conf in front
// of a back end. It needs nginx and redis-server.
package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// around is what a distribution's nginx.conf holds around a site, with every file
// in the test's folder. One process and no master: it ends with the test.
const around = `
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[1]s/tollgate.conf;
}
`

func TestAuthRequest(t *testing.T) {
	b := interop.MustBackend(t)
	front := interop.MustFront(t, interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": b.Addr}), b)
	front.Addr = testkit.MustFreeAddr(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nginx.conf": fmt.Sprintf(around, dir),
		"tollgate.conf": interop.MustRender(t, "tollgate.conf", map[string]string{
			"listen 80;": "listen " + front.Addr + ";", "server 127.0.0.1:8080;": "server " + front.Tollgate.Addr + ";",
			"server 127.0.0.1:8000;": "server " + b.Addr + ";",
		}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	interop.MustStart(t, dir, nil, "nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf")).MustListen(front.Addr)
	front.Check(t)
}
