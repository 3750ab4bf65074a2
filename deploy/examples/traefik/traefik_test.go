//go:build interop

// Package traefik_test runs a Traefik that is on PATH with this folder's dynamic.yaml in
// front of a back end. Debian has none: without one it is skipped, in CI too.
package traefik_test

import (
	"os/exec"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

func TestForwardAuth(t *testing.T) {
	traefik, err := exec.LookPath("traefik")
	if err != nil {
		t.Skip("no traefik on PATH (Debian has none)")
	}
	b := interop.MustBackend(t)
	front := interop.MustFront(t, interop.MustRender(t, "../nginx/routes.yaml", map[string]string{"127.0.0.1:8000": b.Addr}), b)
	front.Addr = testkit.MustFreeAddr(t)
	site := interop.MustWrite(t, "dynamic.yaml", interop.MustRender(t, "dynamic.yaml", map[string]string{
		"address: http://127.0.0.1:8080/": "address: http://" + front.Tollgate.Addr + "/", "url: http://127.0.0.1:8000": "url: http://" + b.Addr,
	}))
	process := interop.MustStart(t, t.TempDir(), nil, traefik, "--providers.file.filename="+site, "--entrypoints.web.address="+front.Addr,
		"--global.checknewversion=false", "--global.sendanonymoususage=false")
	process.MustListen(front.Addr)
	process.MustBecome("at its routes", func() bool { return interop.MustSend(t, front.Addr, "GET", "/static/a.css").Status == 200 })
	front.Check(t)
}
