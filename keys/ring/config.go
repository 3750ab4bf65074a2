package ring

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Store keeps one ring. Packages keys/keystore has the real ones.
type Store interface {
	// Load returns the ring that is stored, or ErrEmpty.
	Load(ctx context.Context) (Ring, error)
	// Swap writes to when the store still holds version from (0: none), and fails
	// with ErrConflict otherwise. to.Version is above from, by one or more. After
	// any other error it is not known whether it was written.
	Swap(ctx context.Context, from uint64, to Ring) error
}

// Config says how a Manager works. Store, Issuer and Settings are needed; every
// other field has a good zero value.
type Config struct {
	// Store keeps the ring of Issuer.
	Store Store
	// Issuer is the "iss" that the ring belongs to.
	Issuer string
	// Settings are the numbers of the ring.
	Settings Settings
	// Poll is how often Run looks at the store. Zero: 1 s.
	Poll time.Duration
	// ConfirmWithin is how old the last confirmation of the ring may be when
	// something is signed, and how long one look at the store may take. It should
	// be several times Poll. Zero: 5 s.
	ConfirmWithin time.Duration
	// Now is the clock. Zero: time.Now, whose monotonic reading counts too.
	Now func() time.Time
	// Skew says how far this process's clock is ahead of the store's, behind when
	// negative. While that is more than a minute, or an error, the ring is left as it
	// is but for what is done by hand. Zero: there is no other clock.
	Skew func(ctx context.Context) (time.Duration, error)
	// Log gets one line for each change and each beginning and end of an outage.
	// Zero: nothing is logged.
	Log *slog.Logger
	// Ready says whether every live edge has the key set of that name
	// (keys.DocumentHash), and if not, who is waited for. It is asked before a
	// pending key takes over; an error is a no. Zero: nobody has to be waited for.
	Ready func(ctx context.Context, setHash string) (ok bool, waitingFor []string, err error)
	// ReadyWithin is how long a takeover that is due waits for Ready. Zero: 24 h,
	// after which an edge that cannot fetch the set uses the one it has no more
	// (remote.Config.HardAge), so that waiting longer protects nobody.
	ReadyWithin time.Duration
	// External makes and signs with the keys whose private halves are elsewhere.
	// When it is there, new keys are made by it. Zero: keys are of this process.
	External Signer
	// OnChange is told about every change of the ring after it was stored or read:
	// the public ring and what became different, whichever instance did it. It is
	// called by one goroutine at a time and must not call the Manager's Rotate,
	// Retire, Revoke or Sign. Zero: nobody is told.
	OnChange func(Ring, []Change)
}

// Validate names everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Store == nil {
		errs = append(errs, errors.New("no key store"))
	}
	if c.Issuer == "" {
		errs = append(errs, errors.New("no issuer"))
	}
	if c.Poll < 0 || c.ConfirmWithin < 0 || c.ReadyWithin < 0 {
		errs = append(errs, errors.New("negative poll or confirmation time"))
	}
	return errors.Join(append(errs, c.Settings.Validate())...)
}

// filled returns the configuration with its defaults in place.
func (c Config) filled() Config {
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.ConfirmWithin == 0 {
		c.ConfirmWithin = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ReadyWithin == 0 {
		c.ReadyWithin = 24 * time.Hour
	}
	if c.External == nil {
		c.External = noSigner{}
	}
	if c.OnChange == nil {
		c.OnChange = func(Ring, []Change) {}
	}
	// An instance that has not seen a rotation yet signs with the old key until
	// its confirmation runs out; those tokens have to be covered too.
	c.Settings.TokenLife += c.ConfirmWithin
	return c
}
