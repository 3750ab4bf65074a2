package remote

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Config says how key sets are fetched and kept. The zero value is good.
type Config struct {
	// Refresh is how often an address is asked without need. Zero: 5 m.
	Refresh time.Duration
	// MinRefetch is the least time between the beginnings of two fetches of one
	// issuer, whatever tokens say. Zero: 10 s.
	MinRefetch time.Duration
	// HardAge is how long a set is used that the issuer did not confirm. Zero: 24 h.
	HardAge time.Duration
	// Poll is how often files are read again. Zero: 2 s.
	Poll time.Duration
	// Own names the issuer whose keys are published to others (Issuers.Published),
	// and OwnMaxAge is the longest max-age of that; 5 m when zero. Its set is
	// fetched anew in half that time, whatever Refresh and MinRefetch are. Empty:
	// none is.
	Own       string
	OwnMaxAge time.Duration
	// Dir is what relative file names start from. Empty: the working directory.
	Dir string
	// Previous is what this one follows at a reload. The sets of the addresses
	// that both name are taken over, so that a reload during an outage loses
	// nothing. The caller closes it when the new one is in use.
	Previous *Issuers
	// OnChange is told of an issuer whose set was replaced by one with other keys,
	// when the new one is in force; not of the first. It is called by the goroutine
	// that fetched or read, and must not block. Nil: nobody is told.
	OnChange func(issuer string)
	// Log gets a line for each change of keys and each beginning and end of an
	// outage, never a key. Zero: nothing is logged.
	Log *slog.Logger
	// Client fetches. Its redirect policy is replaced: redirects keep scheme, host
	// and port and are at most 3. Each fetch ends after 5 s whatever its timeout
	// is. Nil: a client of our own, without a proxy from the environment.
	Client *http.Client
	// Now is the clock. Zero: time.Now.
	Now func() time.Time
}

// Validate names everything that is wrong with the configuration.
func (c Config) Validate() error {
	var faults []error
	if c.Refresh < 0 || c.MinRefetch < 0 || c.HardAge < 0 || c.Poll < 0 || c.OwnMaxAge < 0 {
		faults = append(faults, errors.New("negative refresh, refetch, poll or age of key sets"))
	}
	if c = c.filled(); c.HardAge < c.Refresh {
		faults = append(faults, errors.New("key sets would be too old to be used before they are refreshed"))
	}
	return errors.Join(faults...)
}

// filled returns the configuration with its defaults in place.
func (c Config) filled() Config {
	for d, otherwise := range map[*time.Duration]time.Duration{
		&c.Refresh: 5 * time.Minute, &c.MinRefetch: 10 * time.Second, &c.HardAge: 24 * time.Hour, &c.Poll: 2 * time.Second,
		&c.OwnMaxAge: 5 * time.Minute,
	} {
		if *d == 0 {
			*d = otherwise
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnChange == nil {
		c.OnChange = func(string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	client := c.Client
	if client == nil {
		client = newClient()
	}
	own := *client
	own.CheckRedirect = sameOrigin
	c.Client = &own
	return c
}
