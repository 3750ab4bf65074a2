//go:build interop

// Package streams_test runs WebSockets and event streams (Node with ws, this
// folder) and gRPC calls (grpc-go, ../grpc) through tollgate, and ends their
// sessions under them. It needs Node, npm and its registry, the Go module proxy
// and redis-server.
package streams_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// programs are the back ends of both folders, running, and their clients.
type programs struct {
	node           string // folder of client.mjs with what it needs
	client         string // ../grpc's client
	routes         string // both routes files, in one
	live, echoAddr string
}

// mustPrograms builds, installs and starts them.
func mustPrograms(t *testing.T) *programs {
	t.Helper()
	p := &programs{
		node: interop.MustInstall(t, "server.mjs", "client.mjs"),
		live: testkit.MustFreeAddr(t), echoAddr: testkit.MustFreeAddr(t),
	}
	built := t.TempDir()
	interop.MustRun(t, "../grpc", nil, "go", "build", "-o", built+"/", "./server", "./client")
	p.client = filepath.Join(built, "client")
	_, port, _ := strings.Cut(p.live, ":")
	interop.MustStart(t, p.node, nil, "node", "server.mjs", port).MustListen(p.live)
	interop.MustStart(t, built, nil, filepath.Join(built, "server"), "-listen", p.echoAddr).MustListen(p.echoAddr)
	p.routes = interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": p.live})
	grpc := interop.MustRender(t, "../grpc/routes.yaml", map[string]string{"127.0.0.1:50051": p.echoAddr})
	p.routes = merged(t, p.routes, grpc)
	return p
}

// merged puts two routes files of the examples into one.
func merged(t *testing.T, a, b string) string {
	t.Helper()
	upstreamsA, routesA, okA := strings.Cut(a, "\nroutes:\n")
	upstreamsB, routesB, okB := strings.Cut(b, "\nroutes:\n")
	upstreamsB, found := strings.CutPrefix(upstreamsB, "version: 1\nupstreams:\n")
	if !okA || !okB || !found {
		t.Fatal("a routes file of the examples has another shape than expected")
	}
	return upstreamsA + "\n" + upstreamsB + "\nroutes:\n" + routesA + routesB
}

// mustServe starts tollgate in front of them.
func (p *programs) mustServe(t *testing.T, settings interop.Env) *interop.Tollgate {
	t.Helper()
	env := interop.Env{"ROUTES_FILE": interop.MustWrite(t, "routes.yaml", p.routes)}
	for name, value := range settings {
		env[name] = value
	}
	return interop.MustServe(t, env)
}

// socket, events and grpc begin to talk to tollgate with a token, over TLS where
// it has a certificate.
func (p *programs) socket(t *testing.T, g *interop.Tollgate, token string, flags ...string) *interop.Talk {
	t.Helper()
	args := append([]string{"client.mjs", strings.Replace(g.URL, "http", "ws", 1) + "/ws/echo"}, flags...)
	return interop.MustTalk(t, p.node, access(g, token), "node", args...)
}

func (p *programs) events(t *testing.T, g *interop.Tollgate, token string) *interop.Talk {
	t.Helper()
	return interop.MustTalk(t, p.node, access(g, token), "node", "client.mjs", g.URL+"/events")
}

func (p *programs) grpc(t *testing.T, g *interop.Tollgate, token string, args ...string) *interop.Talk {
	t.Helper()
	return interop.MustTalk(t, os.TempDir(), access(g, token), p.client, append([]string{"-addr", g.Addr, "-ca", g.Env["TLS_CERT_FILE"]}, args...)...)
}

func access(g *interop.Tollgate, token string) []string {
	env := []string{"ACCESS=" + token}
	if ca := g.Env["TLS_CERT_FILE"]; ca != "" {
		env = append(env, "NODE_EXTRA_CA_CERTS="+ca)
	}
	return env
}
