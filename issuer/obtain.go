package issuer

import (
	"errors"
	"net"
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

const badCredentials = "No active account found with the given credentials" //nolint:gosec // an answer, not a credential

// obtain is the log-in: name and password for a pair of tokens.
func (i *Issuer) obtain(c *call) error { return i.logIn(c, false) }

func (i *Issuer) loginFailed(err error) error {
	switch {
	case errors.Is(err, users.ErrCredentials), errors.Is(err, session.ErrEnded):
		i.Metrics.Login(telemetry.LoginFailure)
		return unauthorized(badCredentials)
	case errors.Is(err, users.ErrBusy):
		i.Metrics.Login(telemetry.LoginBusy)
	default:
		i.Metrics.Login(telemetry.LoginUnavailable)
	}
	return err
}

// peer is the client's address without its port.
func peer(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
