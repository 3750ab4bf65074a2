package gateway

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// lineOf is an edge as the binary wires one, from its listener to its back end: the
// server with its short lane, telemetry, the public surface, a verifier that remembers
// and a mirror of a store. What stands around it, back end and client, allocates
// nothing for a request, so that what is counted is the edge's.
type lineOf struct {
	addr    string
	gateway *Gateway
	alg     keys.Algorithm
	key     crypto.Signer
	kid     string
}

// lineConn is one client's connection.
type lineConn struct {
	net.Conn
	in [4 << 10]byte
}

const lineRoutes = "version: 1\nupstreams: {app: {urls: [\"http://%s\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app}]\n"

func mustLine(tb testing.TB, alg keys.Algorithm, memory int64) *lineOf {
	tb.Helper()
	l := &lineOf{alg: alg}
	var err error
	if alg == keys.RS256 {
		l.key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		l.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		tb.Fatal(err)
	}
	public, err := keys.NewKey(l.key.Public(), alg)
	if err != nil {
		tb.Fatal(err)
	}
	l.kid = public.ID()
	set, err := keys.NewSet(public)
	if err != nil {
		tb.Fatal(err)
	}
	table, err := ReadRoutes(fmt.Appendf(nil, lineRoutes, mustEcho(tb)), Defaults{UserIDClaim: "user_id", MaxStale: 5 * time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := token.New(token.Config{
		Issuers: []token.Issuer{{Name: issuerName, Keys: token.NewStaticKeys(set), Audiences: []string{"api"}}}, Leeway: 10 * time.Second, MemoryBytes: memory,
	})
	if err != nil {
		tb.Fatal(err)
	}
	metrics := telemetry.NewMetrics(telemetry.Build{})
	if l.gateway, err = New(Config{Verifier: verifier, Revocations: mustMirror(tb), Routes: table, Metrics: metrics}); err != nil {
		tb.Fatal(err)
	}
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", telemetry.Handler(NewPublic(l.gateway, nil), telemetry.Options{Metrics: metrics, Remote: TrustedProxies(nil).Client}), nil)
	if err := s.Listen(); err != nil {
		tb.Fatal(err)
	}
	l.addr = s.Addr("public").String()
	mustRunUntilEnd(tb, s.Run)
	return l
}

// mustRunUntilEnd runs something in the background for as long as the test lasts.
func mustRunUntilEnd(tb testing.TB, run func(context.Context) error) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil && ctx.Err() == nil {
			tb.Error(err)
		}
	})
}

// mustMirror returns a mirror that is level with a store.
func mustMirror(tb testing.TB) *revocation.Mirror {
	tb.Helper()
	_, client := testkit.MustMini(tb)
	store, err := revocation.NewRedis(client, "tg:", revocation.Settings{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := store.Open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	m, err := revocation.NewMirror(revocation.MirrorConfig{Store: store, Client: client, Prefix: "tg:"})
	if err != nil {
		tb.Fatal(err)
	}
	mustRunUntilEnd(tb, m.Run)
	testkit.MustAwait(tb, "a mirror that is loaded", func() bool { return m.Ready() == nil })
	return m
}

var (
	echoAnswer = []byte("HTTP/1.1 200 OK\r\nServer: echo\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"hello\":\"world\"}")
	endOfHead  = []byte("\r\n\r\n")
)

// mustEcho starts a back end that has one answer for every request without a body.
func mustEcho(tb testing.TB) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := make([]byte, 8<<10)
				for have := 0; ; {
					n, err := conn.Read(in[have:])
					if err != nil {
						return
					}
					if have += n; bytes.HasSuffix(in[:have], endOfHead) {
						have = 0
						if _, err := conn.Write(echoAnswer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// request is the request of a caller whose token has this number.
func (l *lineOf) request(tb testing.TB, number int) []byte {
	tb.Helper()
	return fmt.Appendf(nil, "GET /api/hello HTTP/1.1\r\nHost: edge.test\r\nAuthorization: %s\r\n\r\n", l.token(tb, number))
}

// token is the value of that caller's Authorization.
func (l *lineOf) token(tb testing.TB, number int) string {
	tb.Helper()
	now, enc := time.Now().Unix(), base64.RawURLEncoding
	header := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, l.alg, l.kid)
	claims := fmt.Sprintf(`{"iss":%q,"sub":"%d","user_id":"%d","aud":"api","iat":%d,"nbf":%d,"exp":%d,"jti":"%032x","token_type":"access","scope":"read write"}`,
		issuerName, number, number, now, now, now+86400, number)
	signed := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	switch key := l.key.(type) {
	case *rsa.PrivateKey:
		var err error
		if signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
			tb.Fatal(err)
		}
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return "Bearer " + signed + "." + enc.EncodeToString(signature)
}

func (l *lineOf) dial(tb testing.TB) *lineConn {
	tb.Helper()
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &lineConn{Conn: conn}
}

// ask sends a request and reads the answer, which has to be the back end's.
func (c *lineConn) ask(tb testing.TB, request []byte) {
	if _, err := c.Write(request); err != nil {
		tb.Fatal(err)
	}
	have := 0
	for !bytes.HasSuffix(c.in[:have], []byte(`{"hello":"world"}`)) {
		n, err := c.Read(c.in[have:])
		if have += n; err != nil || have == len(c.in) {
			tb.Fatalf("answered %q, %v", c.in[:have], err)
		}
	}
	if !bytes.HasPrefix(c.in[:have], []byte("HTTP/1.1 200 ")) {
		tb.Fatalf("answered %q", c.in[:have])
	}
}
