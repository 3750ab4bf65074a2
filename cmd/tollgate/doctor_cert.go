package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"

	"tollgate/internal/server"
)

// expiryNotice is how long before its end a certificate is spoken of; serve logs it as
// early.
const expiryNotice = 14 * 24 * time.Hour

// certificates looks at the dates of those that the configuration names.
func (d *doctor) certificates() {
	l := d.config.Listeners
	if l.TLSCertFile.Value != "" {
		d.look("certificates")
		loaded, err := server.LoadCertificate(l.TLSCertFile.Value, l.TLSKeyFile.Value, nil)
		if err != nil { // it was read a moment ago
			d.add(finding{
				Level: levelError, Check: "certificates.load", Where: "TOLLGATE_TLS_CERT_FILE", Found: "it cannot be loaded: " + err.Error(),
				Meaning: "the server does not start", Do: "put back a certificate with its key",
			})
			return
		}
		info := loaded.Info()
		d.dates("TOLLGATE_TLS_CERT_FILE", info.NotBefore, info.NotAfter, "clients refuse to connect")
	}
	if file := d.config.Redis.CAFile.Value; file != "" {
		d.authorities(file)
	}
}

// authorities looks at certificates that Redis's own is checked with. Of several one
// that is good will do, as during a change of them.
func (d *doctor) authorities(file string) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return // the configuration's fault
	}
	var best *x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err == nil && (best == nil || c.NotAfter.After(best.NotAfter)) {
			best = c
		}
	}
	if best != nil {
		d.dates("TOLLGATE_REDIS_CA_FILE", best.NotBefore, best.NotAfter, "Redis cannot be reached")
	}
}

// dates looks at one certificate's dates.
func (d *doctor) dates(where string, from, until time.Time, meaning string) {
	now := d.now()
	f := finding{Level: levelError, Check: "certificates.expiry", Where: where, Meaning: meaning, Do: "renew it; it is read again when the file changes"}
	if where == "TOLLGATE_REDIS_CA_FILE" {
		f.Do = "put the new authority's certificate beside it and restart"
	}
	switch left := until.Sub(now); {
	case left <= 0:
		f.Found = "the certificate has expired at " + when(&until)
	case from.After(now):
		f.Found, f.Do = "the certificate is not valid before "+when(&from), "wait, or set this machine's clock"
	case left < expiryNotice:
		f.Level, f.Found = levelWarning, fmt.Sprintf("the certificate expires at %s, in %s", when(&until), plural(int(left/(24*time.Hour)), "day"))
		f.Meaning = "then " + meaning
	default:
		return
	}
	d.add(f)
}
