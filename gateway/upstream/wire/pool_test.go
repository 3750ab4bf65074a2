package wire_test

import (
	"io"
	"testing"
)

// TestClosedPool: what was lent when its pool was closed is not kept; what is dialled
// later is, since a table that has gone may come back.
func TestClosedPool(t *testing.T) {
	b := mustSay(t, head200+"Content-Length: 2\r\n\r\nok", false)
	p := b.pool(t)
	lent, err := p.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := io.ReadAll(lent); err != nil {
		t.Error(err)
	}
	_ = lent.Close()
	if n := p.Idle(); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
	for range 3 {
		if _, body, err := ask(t, p, get()); body != "ok" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
	}
	if idle, made := p.Idle(), b.conns.Load(); idle != 1 || made != 2 {
		t.Errorf("%d connections wait of %d", idle, made)
	}
}
