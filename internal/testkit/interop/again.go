package interop

import (
	"net/http"
	"testing"
	"time"
)

// exitUnreachable is the exit code of a command whose server or whose Redis did not
// answer, or not in time.
const exitUnreachable = 3

// MustAnswer is MustPost that asks again while the answer is 503, as a client does: on
// a machine without time for Redis "cannot tell" is the right answer, and a second
// later it is another one.
func (g *Tollgate) MustAnswer(t *testing.T, path, token string, body, out any) int {
	t.Helper()
	var status int
	_ = g.again(func() (bool, error) {
		status = g.MustPost(t, path, token, body, out)
		return status == http.StatusServiceUnavailable, nil
	})
	return status
}

// again asks until the answer is another one than "not now", or patience is over.
func (g *Tollgate) again(ask func() (notNow bool, err error)) error {
	for end := time.Now().Add(patience); ; time.Sleep(retryAfter) {
		notNow, err := ask()
		if !notNow || time.Now().After(end) {
			return err
		}
		select {
		case <-g.done: // nobody is there to answer
			return err
		default:
		}
	}
}

// retryAfter is less than what the answers ask for: a test is no crowd.
const retryAfter = 200 * time.Millisecond
