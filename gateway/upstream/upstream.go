package upstream

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"tollgate/gateway/upstream/wire"
)

var (
	// ErrBusy says that Config.MaxInFlight requests are under way.
	ErrBusy = errors.New("the upstream has as many requests as it may have")
	// ErrNone says that there is no target: New did not make this upstream.
	ErrNone = errors.New("the upstream has no target")
	// ErrTimeout is, or is wrapped by, the cause with which a caller ends a request's
	// context when it has waited long enough for an answer. Unlike every other cause
	// it counts against the target, unless the client's body was what it waited for.
	ErrTimeout = errors.New("the upstream took too long")
)

// Error says where a request failed. Requests that the client gave up or whose
// body could not be read fail with the context's cause or the body's error alone.
type Error struct {
	Target  string // its base URL
	Connect bool   // no connection was made, so nothing was sent
	Err     error
}

// Error names the target, which no client should see.
func (e *Error) Error() string {
	if e.Connect {
		return "connect to " + e.Target + ": " + e.Err.Error()
	}
	return "exchange with " + e.Target + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the target took too long to be reached.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Upstream is a pool of targets with the connections to them.
type Upstream struct {
	config  Config // filled
	files   [sha256.Size]byte
	targets []*target
	start   time.Time     // zero of clock
	rest    time.Duration // of a connection, where a body may come that must not

	requests, upgrades way

	turn     atomic.Uint64
	inflight atomic.Int64
}

// New returns the upstream of the configuration, or all that is wrong with it.
// It dials nobody. Run checks the targets; Close gives the connections up.
func New(c Config) (*Upstream, error) {
	c = c.filled()
	bases, urlFaults := c.bases()
	files, fileFaults := c.readMaterial()
	tlsConfig, tlsFaults := c.tlsConfig(files)
	if err := errors.Join(urlFaults, c.check(bases), fileFaults, tlsFaults); err != nil {
		return nil, err
	}
	u := &Upstream{config: c, files: files.digest(), start: c.Now(), rest: wire.Rest}
	for _, base := range bases {
		u.targets = append(u.targets, newTarget(base))
	}
	u.requests, u.upgrades = ways(c, bases[0].Scheme, tlsConfig)
	u.openDirect(bases[0].Scheme)
	return u, nil
}

// LogTo gives the upstream another log than its configuration's: a routing table is read
// before anybody knows where its lines go. Nobody may use the upstream yet.
func (u *Upstream) LogTo(log *slog.Logger) { u.config.Log = log }

// Name returns the configured name.
func (u *Upstream) Name() string { return u.config.Name }

// URLs lists the base URLs.
func (u *Upstream) URLs() []string {
	list := make([]string, len(u.targets))
	for i, t := range u.targets {
		list[i] = t.url.String()
	}
	return list
}

// Status says what is known of each target, in the order of the URLs.
func (u *Upstream) Status() []TargetStatus {
	list := make([]TargetStatus, len(u.targets))
	for i, t := range u.targets {
		list[i] = t.status(u)
	}
	return list
}

// Same reports whether other was made of the same settings and the same contents of
// files, so that this one, its connections and what it knows can stay in its place.
// Log and Now do not count.
func (u *Upstream) Same(other *Upstream) bool {
	a, b := u.config, other.config
	a.Log, a.Now, b.Log, b.Now = nil, nil, nil, nil
	return u.files == other.files && reflect.DeepEqual(a, b)
}

// Close gives idle connections up. Requests under way go on, and new ones work.
func (u *Upstream) Close() {
	if len(u.targets) == 0 {
		return
	}
	for _, t := range u.targets {
		if t.direct != nil {
			t.direct.Close()
		}
	}
	u.requests.CloseIdleConnections()
	u.upgrades.CloseIdleConnections()
}

// clock is the time since the upstream was made, which no change of the wall
// clock moves.
func (u *Upstream) clock() time.Duration { return u.config.Now().Sub(u.start) }

// enter takes a place among the requests in flight. Those that find none never
// count, not even for a moment in which a place is given back.
func (u *Upstream) enter() bool {
	for {
		n := u.inflight.Load()
		if u.config.MaxInFlight > 0 && n >= int64(u.config.MaxInFlight) {
			return false
		}
		if u.inflight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (u *Upstream) leave() { u.inflight.Add(-1) }
