package testkit

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy is a TCP proxy on loopback with the faults of a network. Faults hold for
// both directions, and for connections open now and later unless said otherwise;
// they add up, and each may be set while bytes are under way. Its methods may be
// called at the same time.
type Proxy struct {
	Addr string // host:port

	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	target  string
	faults  faults
	changed chan struct{} // closed when faults change
	links   map[*link]bool
	closed  bool
}

// faults are what keeps bytes from going straight on.
type faults struct {
	frozen, refusing bool
	delay            time.Duration
	drip             int // bytes at once; 0: as they come
	every            time.Duration
}

// MustProxy starts a proxy to target (host:port) and ends it with the test.
func MustProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("start proxy: %v", err)
	}
	p := &Proxy{
		Addr: l.Addr().String(), target: target, listener: l,
		changed: make(chan struct{}), links: map[*link]bool{},
	}
	p.work.Go(p.accept)
	tb.Cleanup(p.close)
	return p
}

// Freeze stops all bytes; connections stay, new ones are accepted. Nothing is lost:
// what was on the way arrives after Thaw.
func (p *Proxy) Freeze() { p.set(func(f *faults) { f.frozen = true }) }

// Thaw ends Freeze and Strand.
func (p *Proxy) Thaw() {
	p.set(func(f *faults) {
		f.frozen = false
		for l := range p.links {
			l.stranded = false
		}
	})
}

// Strand stops all bytes on the connections that are open now. New ones work.
func (p *Proxy) Strand() {
	p.set(func(*faults) {
		for l := range p.links {
			l.stranded = true
		}
	})
}

// Cut closes the connections that are open now. New ones work.
func (p *Proxy) Cut() {
	p.set(func(*faults) {
		for l := range p.links {
			l.close()
		}
	})
}

// Refuse closes the connections that are open now, and each new one at once.
func (p *Proxy) Refuse() {
	p.set(func(f *faults) { f.refusing = true })
	p.Cut()
}

// Delay lets every byte arrive d later. Throughput stays.
func (p *Proxy) Delay(d time.Duration) { p.set(func(f *faults) { f.delay = d }) }

// Drip lets at most bytes through at once, and then none for a while.
func (p *Proxy) Drip(bytes int, every time.Duration) {
	p.set(func(f *faults) { f.drip, f.every = bytes, every })
}

// Retarget leads new connections elsewhere and closes those that are open.
func (p *Proxy) Retarget(target string) {
	p.set(func(*faults) { p.target = target })
	p.Cut()
}

// Heal ends every fault. What was cut stays cut.
func (p *Proxy) Heal() {
	p.set(func(f *faults) { *f = faults{} })
	p.Thaw()
}

// Open returns how many connections there are.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// set changes the faults and tells everybody who waits because of them.
func (p *Proxy) set(change func(*faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.faults)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		client.Close()
		return
	}
	l := &link{proxy: p, ends: [2]net.Conn{client, server}, gone: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.refusing || p.target != target {
		client.Close()
		server.Close()
		return
	}
	p.links[l] = true
	p.work.Go(func() { l.carry(client, server) })
	p.work.Go(func() { l.carry(server, client) })
}

func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.work.Wait()
}
