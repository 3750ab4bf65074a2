package server

import (
	"context"
	"log/slog"
	"time"
)

const (
	// watchEvery is how often the files are read. Their content counts: events of
	// the file system miss a symlink that is swapped, as Kubernetes does it.
	watchEvery = 2 * time.Second
	// expiryNotice is how long before its end a certificate is spoken of.
	expiryNotice = 14 * 24 * time.Hour
	remindEvery  = 24 * time.Hour
)

// Watch reads the files again when they change and logs the coming expiry once a
// day, until ctx ends; its error is always nil. A pair that cannot be used leaves
// the old one in place and is logged once. Connections that are open keep the
// certificate that they began with. It runs once at a time.
func (c *Certificate) Watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		c.remind(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.reload()
		}
	}
}

func (c *Certificate) reload() {
	p, err := c.load()
	if err != nil {
		c.complain(err.Error())
		return
	}
	c.doubt, c.told = "", ""
	if p == c.current.Load() {
		return
	}
	c.current.Store(p)
	c.reminded = time.Time{}
	c.log.Info("certificate reloaded", "certificate", c.certFile, "not_after", p.tls.Leaf.NotAfter)
}

// complain logs a fault once, and only when it is still there at the next look:
// two files that are being written are not a pair for a moment.
func (c *Certificate) complain(fault string) {
	if c.doubt != fault {
		c.doubt = fault
		return
	}
	if c.told != fault {
		c.told = fault
		c.log.Error("certificate not reloaded, the old one stays", "error", fault, "not_after", c.Info().NotAfter)
	}
}

func (c *Certificate) remind(now time.Time) {
	info := c.Info()
	left := info.NotAfter.Sub(now)
	if left > expiryNotice || !c.reminded.IsZero() && now.Sub(c.reminded) < remindEvery {
		return
	}
	c.reminded = now
	level, text := slog.LevelWarn, "certificate expires soon"
	if left <= 0 {
		level, text = slog.LevelError, "certificate has expired"
	}
	c.log.Log(context.Background(), level, text, "certificate", c.certFile, "not_after", info.NotAfter, "names", info.Names)
}
