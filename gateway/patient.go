package gateway

import (
	"net/http"
	"sync"
	"time"
)

// answerIdle is how long a client may take nothing of an answer over HTTP/2.
const answerIdle = 2 * time.Minute

// keptBack is what net/http keeps of an answer over HTTP/2 before it sends any of it, in
// bytes: a write within it waits for nobody.
const keptBack = 4 << 10

// patient is the response writer of a stream of HTTP/2. A stream has a window of its own,
// which may stay closed while the connection is well and answers pings. A write that has
// waited for too long resets the stream.
type patient struct {
	http.ResponseWriter
	limit time.Duration
	kept  int // written since the last flush

	mu    sync.Mutex
	since time.Time // when the write that waits began; zero: none waits
	timer *time.Timer
}

// Unwrap lets [http.ResponseController] reach the server's own writer.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if p.kept += len(b); p.kept <= keptBack {
		return p.ResponseWriter.Write(b)
	}
	p.begin()
	defer p.end()
	return p.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (p *patient) Flush() { _ = p.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (p *patient) FlushError() error {
	p.kept = 0
	p.begin()
	defer p.end()
	return http.NewResponseController(p.ResponseWriter).Flush()
}

func (p *patient) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Now()
	if p.timer == nil {
		p.timer = time.AfterFunc(p.limit, p.cut)
	} else {
		p.timer.Reset(p.limit)
	}
}

func (p *patient) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Time{}
	p.timer.Stop()
}

// cut resets the stream of a write that has waited too long. It also runs for a timer
// that was stopped or set anew a moment too late, and looks again for that reason.
func (p *patient) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.since.IsZero() && time.Since(p.since) >= p.limit {
		_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
	}
}
