package users

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	askTimeout     = 2 * time.Second // one question, connecting included
	maxAnswerBytes = 128 << 10
	maxAskers      = 64 // connections at once
)

// HTTPConfig is how an existing back end is asked who may log in.
type HTTPConfig struct {
	// URL that is asked: POST with name and password, GET with ?id=. Required; no
	// user, query or fragment.
	URL string
	// Secret is sent as "Authorization: Bearer …" with each question. Empty: nothing.
	Secret string
	// CAFile holds the certificates (PEM) that the back end's is checked with. Empty:
	// the system's.
	CAFile string
	// CertFile and KeyFile are shown to the back end, and read again when a
	// connection is made. Both or none.
	CertFile, KeyFile string
	// LoginByEmail sends the login as the member email instead of username.
	LoginByEmail bool
	// Kept is where users are kept for a back end that does not give them by id.
	// Nil: such a back end's users cannot refresh.
	Kept *Kept
	// Timeout of one question. Zero: 2 s.
	Timeout time.Duration
	// Log is told once that a back end gives no users by id. Nil: nothing is logged.
	Log *slog.Logger
}

// HTTP is a Directory behind an existing back end. It is safe for concurrent use.
type HTTP struct {
	config HTTPConfig
	client *http.Client
	told   atomic.Bool
}

var _ Directory = (*HTTP)(nil)

// NewHTTP returns a directory that asks a back end. Nothing is asked yet; an error
// is one of the configuration.
func NewHTTP(c HTTPConfig) (*HTTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("users: the back end's address is not an http or https URL without user, query and fragment")
	}
	if c.Timeout <= 0 {
		c.Timeout = askTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	secured, err := clientTLS(c.CAFile, c.CertFile, c.KeyFile)
	if err != nil {
		return nil, err
	}
	return &HTTP{config: c, client: &http.Client{
		Timeout: c.Timeout,
		// No proxy of the environment: passwords go where the operator wrote.
		Transport: &http.Transport{
			TLSClientConfig: secured, ForceAttemptHTTP2: true, MaxConnsPerHost: maxAskers, MaxIdleConnsPerHost: maxAskers,
			IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		},
		// A redirect would carry the password to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close gives the idle connections back.
func (d *HTTP) Close() { d.client.CloseIdleConnections() }

// Authenticate asks for the user with this login and password. 200 with a user is
// one, unless it says is_active false; 401, 403 and 404 are ErrCredentials; anything
// else, an answer that cannot be read included, is ErrUnavailable.
func (d *HTTP) Authenticate(ctx context.Context, login, password string) (User, error) {
	if len(password) > maxPasswordBytes {
		return User{}, ErrCredentials
	}
	field := "username"
	if d.config.LoginByEmail {
		field = "email"
	}
	body, err := question(field, login, password)
	if err != nil {
		return User{}, err
	}
	status, answer, err := d.ask(ctx, http.MethodPost, d.config.URL, body)
	switch {
	case err != nil:
		return User{}, err
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return User{}, ErrCredentials
	case status != http.StatusOK:
		return User{}, unavailable("ask for a log-in", fmt.Errorf("the back end answered %d", status))
	}
	u, err := parseUser(answer, field, login)
	switch {
	case err != nil:
		return User{}, unavailable("ask for a log-in", err)
	case !u.IsActive:
		return User{}, ErrCredentials
	case u.MustChange:
		return User{}, ErrMustChange
	}
	if d.config.Kept != nil {
		if err := d.config.Kept.put(ctx, u); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

// ByID asks for the user with this id: GET with ?id=. 200 is the user, 410 is
// ErrNotFound. A back end that does not know this question answers 404, 405 or 501;
// the user is then the one of the last log-in. Once a back end has given anybody by
// id, its 404 says that the user is gone. 401 and 403 are about us and not the user:
// ErrUnavailable, as anything else.
func (d *HTTP) ByID(ctx context.Context, id string) (User, error) {
	status, answer, err := d.ask(ctx, http.MethodGet, d.config.URL+"?id="+url.QueryEscape(id), "")
	if err != nil {
		return User{}, err
	}
	switch status {
	case http.StatusOK:
		u, err := parseUser(answer, "", "")
		switch {
		case err != nil:
			return User{}, unavailable("ask for a user", err)
		case u.ID != id:
			return User{}, unavailable("ask for a user", errors.New("the back end gave another user than the one asked for"))
		}
		if err := d.config.Kept.knows(ctx, d.config.URL); err != nil {
			return User{}, err
		}
		return u, nil
	case http.StatusGone:
		return User{}, ErrNotFound
	case http.StatusNotFound:
		known, err := d.config.Kept.known(ctx, d.config.URL)
		switch {
		case err != nil:
			return User{}, err
		case known:
			return User{}, ErrNotFound
		}
		return d.kept(ctx, id)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return d.kept(ctx, id)
	}
	return User{}, unavailable("ask for a user", fmt.Errorf("the back end answered %d", status))
}

// kept returns the user of the last log-in.
func (d *HTTP) kept(ctx context.Context, id string) (User, error) {
	if d.told.CompareAndSwap(false, true) {
		d.config.Log.Warn("the users' back end gives no users by id: a refresh carries the claims of the log-in, and goes on for users who are gone")
	}
	if d.config.Kept == nil {
		return User{}, ErrNotFound
	}
	return d.config.Kept.get(ctx, id)
}

// ask sends one question and reads the answer to its end. Its errors repeat neither
// the address nor what was sent.
func (d *HTTP) ask(ctx context.Context, method, to, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return 0, nil, unavailable("ask the users' back end", errors.New("the address cannot be asked"))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tollgate")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if d.config.Secret != "" {
		req.Header.Set("Authorization", "Bearer "+d.config.Secret)
	}
	res, err := d.client.Do(req)
	if err != nil {
		if named, ok := errors.AsType[*url.Error](err); ok { // it repeats the address with the id
			err = named.Err
		}
		return 0, nil, unavailable("ask the users' back end", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes+1))
	if err == nil && len(answer) > maxAnswerBytes {
		err = fmt.Errorf("the answer is longer than %d KiB", maxAnswerBytes>>10)
	}
	if err != nil {
		return 0, nil, unavailable("read the users' back end", err)
	}
	return res.StatusCode, answer, nil
}
