package server_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	"tollgate/internal/server"
)

// One GET after the other on a connection that is kept.
func BenchmarkKeptConnection(b *testing.B) {
	f := mustFiles(b, "a.example")
	s := server.New(server.Config{})
	s.AddPublic("plain", "127.0.0.1:0", text("done"), nil)
	s.AddPublic("tls", "127.0.0.1:0", text("done"), f.mustLoad(nil))
	r := mustRun(b, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	for _, name := range []string{"plain", "tls"} {
		b.Run(name, func(b *testing.B) {
			conn, err := net.Dial("tcp", r.Addr(name).String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			if name == "tls" {
				conn = tls.Client(conn, &tls.Config{RootCAs: f.trusting().RootCAs, ServerName: "127.0.0.1"})
			}
			in := bufio.NewReader(conn)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
			}
		})
	}
}
