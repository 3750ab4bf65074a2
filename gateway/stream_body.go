package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate/keys/token"
)

// isStream reports whether an answer goes on for as long as its reader stays.
func isStream(res *http.Response) bool {
	if res.StatusCode == http.StatusSwitchingProtocols {
		return true
	}
	return isStreamType(mediaType(res.Header))
}

// isStreamType reports whether a media type is a stream's.
func isStreamType(media string) bool { return media == "text/event-stream" || isCall(media) }

// mediaType is the media type of a message in lower case, without its parameters,
// however malformed these are: who reads the message reads it all the same.
func mediaType(h http.Header) string {
	types := h["Content-Type"]
	if len(types) == 0 {
		return ""
	}
	media, _, _ := strings.Cut(types[0], ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// streamBody is the body of an event stream or a gRPC call. When it is ended the
// reader sees its regular end: an event source connects again and meets the 401,
// a gRPC client gets its status.
type streamBody struct {
	io.ReadCloser
	res *http.Response
	// whole says that the answer is an ordinary one, no stream: when it is cut off, the
	// part must not pass for all of it.
	whole bool
	// broke is told of an error of the back end and reports whether the client takes
	// a status for it; nil: it does not.
	broke func(error) bool

	mu    sync.Mutex
	ended token.Reason
}

// end lets the reader see the end. Closing the upstream's body wakes a read that
// waits for it.
func (b *streamBody) end(why token.Reason) {
	b.mu.Lock()
	b.ended = why
	b.mu.Unlock()
	// By itself: a close may wait for a connection, and whoever ends streams has
	// others to end.
	go b.ReadCloser.Close()
}

// Read implements io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	b.mu.Lock()
	ended := b.ended != ""
	b.mu.Unlock()
	call := isGRPC(mediaType(b.res.Header))
	switch {
	case ended && b.whole:
		return n, errTokenOver
	case ended && call:
		callEnd{grpcUnauthenticated, overMessage}.trail(b.res)
	case ended:
	case !errors.Is(err, io.EOF) && call && b.res.ContentLength < 0 && b.broke != nil && b.broke(err):
		callEnd{grpcUnavailable, "the back end broke the call off"}.trail(b.res)
	default:
		return n, err
	}
	return n, io.EOF
}

// interrupter wakes a read that waits for the back end.
type interrupter interface{ SetReadDeadline(time.Time) error }

// tunnel is the back end's side of a WebSocket. It lets the frames through as they
// are, and keeps count of them, so that a close frame can be put between two.
type tunnel struct {
	io.ReadWriteCloser
	conn interrupter // nil: the connection could not be had
	gone chan struct{}
	once sync.Once

	mu     sync.Mutex
	why    token.Reason
	closed bool // the close frame went out

	frames frames
	tail   []byte // of the close frame, not yet read
}

// graceForFrame is how long a frame that has begun may take to end before the
// tunnel is cut in the middle of it.
const graceForFrame = 500 * time.Millisecond

// end asks for the end of the tunnel; the reader puts the close frame in at the
// next boundary.
func (t *tunnel) end(why token.Reason) {
	t.mu.Lock()
	t.why = why
	t.mu.Unlock()
	if t.conn == nil {
		_ = t.ReadWriteCloser.Close()
		return
	}
	_ = t.conn.SetReadDeadline(time.Now())
	// A reader that is blocked, by a client that takes nothing or by a frame that
	// does not end, sees neither the deadline nor a boundary: then the tunnel is cut.
	time.AfterFunc(2*graceForFrame, func() { _ = t.ReadWriteCloser.Close() })
}

// Read implements io.Reader: bytes from the back end to the client.
func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.tail) > 0 {
		n := copy(p, t.tail)
		t.tail = t.tail[n:]
		return n, nil
	}
	if t.closed {
		// The client answers the close frame and leaves; one that does not is left.
		// Not io.EOF: the proxy would wait for the client's direction to end too.
		t.linger()
		return 0, errTokenOver
	}
	why := t.ending()
	if why != "" && t.frames.boundary() {
		t.closed = true
		t.tail = closeFrame(why)
		return t.Read(p)
	}
	if why != "" { // in the middle of a frame
		_ = t.conn.SetReadDeadline(time.Now().Add(graceForFrame))
		p = p[:min(len(p), t.frames.left())]
	}
	n, err := t.ReadWriteCloser.Read(p)
	t.frames.advance(p[:n])
	if errors.Is(err, io.EOF) {
		// The back end is gone. At a plain io.EOF the proxy would half-close the
		// client's side and wait for the client, for as long as it likes.
		err = errTunnelOver
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && why == "" && t.ending() != "" {
		if n > 0 {
			return n, nil
		}
		return t.Read(p)
	}
	return n, err
}

// linger gives the close frame time to arrive before the connection goes.
func (t *tunnel) linger() {
	select {
	case <-time.After(graceForFrame):
	case <-t.gone:
	}
}

func (t *tunnel) ending() token.Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.why
}

// Close implements io.Closer.
func (t *tunnel) Close() error {
	t.once.Do(func() { close(t.gone) })
	return t.ReadWriteCloser.Close()
}

var errTunnelOver = errors.New("the back end ended the tunnel")
