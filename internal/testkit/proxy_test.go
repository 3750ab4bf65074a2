package testkit_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// soon is how long what must not come is waited for, and late how long what must.
const (
	soon = 60 * time.Millisecond
	late = 20 * time.Second
)

// mustEcho starts a server that sends back what it gets, and a proxy before it.
func mustEcho(t *testing.T) *testkit.Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	return testkit.MustProxy(t, l.Addr().String())
}

func mustDial(t *testing.T, p *testkit.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// answer sends text and says whether, and after how long, it came back.
func answer(t *testing.T, c net.Conn, text string, within time.Duration) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	_ = c.SetWriteDeadline(start.Add(late)) // sent in any case, or it could not come later
	_ = c.SetReadDeadline(start.Add(within))
	if _, err := io.WriteString(c, text); err != nil {
		return 0, err
	}
	got := make([]byte, len(text))
	_, err := io.ReadFull(c, got)
	if err == nil && string(got) != text {
		t.Fatalf("%q came back as %q", text, got)
	}
	return time.Since(start), err
}

func wantAnswer(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	took, err := answer(t, c, "hello", late)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return took
}

func wantSilence(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := answer(t, c, "hello", soon); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("not silence on a connection that stays: %v", err)
	}
}

func TestProxyFreezes(t *testing.T) {
	p := mustEcho(t)
	before := mustDial(t, p)
	wantAnswer(t, before)
	p.Freeze()
	wantSilence(t, before)
	during := mustDial(t, p)
	wantSilence(t, during)
	p.Thaw()
	for _, c := range []net.Conn{before, during} { // what was held back arrives
		_ = c.SetDeadline(time.Now().Add(late))
		if got := make([]byte, 5); readAll(c, got) != nil || string(got) != "hello" {
			t.Errorf("after the thaw: %q", got)
		}
		wantAnswer(t, c)
	}
}

func readAll(c net.Conn, b []byte) error {
	_, err := io.ReadFull(c, b)
	return err
}

func TestProxyStrands(t *testing.T) {
	p := mustEcho(t)
	before := mustDial(t, p)
	wantAnswer(t, before)
	p.Strand()
	wantSilence(t, before)
	wantAnswer(t, mustDial(t, p))
	if p.Open() != 2 {
		t.Errorf("%d connections", p.Open())
	}
}

func TestProxyCutsAndRefuses(t *testing.T) {
	p := mustEcho(t)
	before := mustDial(t, p)
	wantAnswer(t, before)
	p.Cut()
	if _, err := answer(t, before, "hello", late); err == nil {
		t.Error("a cut connection answers")
	}
	wantAnswer(t, mustDial(t, p))
	p.Refuse()
	if _, err := answer(t, mustDial(t, p), "hello", late); err == nil {
		t.Error("a refused connection answers")
	}
	p.Heal()
	wantAnswer(t, mustDial(t, p))
}

func TestProxyDelays(t *testing.T) {
	p := mustEcho(t)
	c := mustDial(t, p)
	p.Delay(soon)
	if took := wantAnswer(t, c); took < 2*soon { // there and back
		t.Errorf("took %s", took)
	}
	// One part behind the other, 32 KB each, it would take half a minute.
	p.Delay(time.Second)
	text := string(bytes.Repeat([]byte("0123456789"), 100_000))
	if took, err := answer(t, c, text, late); err != nil {
		t.Errorf("1 MB took %s: %v", took, err)
	}
	p.Heal()
	wantAnswer(t, c)
}

func TestProxyDrips(t *testing.T) {
	p := mustEcho(t)
	c := mustDial(t, p)
	p.Drip(10, 10*time.Millisecond)
	if took, err := answer(t, c, string(make([]byte, 100)), late); err != nil || took < 90*time.Millisecond {
		t.Errorf("100 bytes took %s: %v", took, err)
	}
	p.Heal()
	if took, err := answer(t, c, string(make([]byte, 100_000)), late); err != nil { // it would drip for 100 s
		t.Errorf("healed: %s, %v", took, err)
	}
}
