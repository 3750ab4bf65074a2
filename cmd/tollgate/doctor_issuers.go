package main

import (
	"context"
	"path/filepath"

	"tollgate/internal/telemetry"
	"tollgate/keys/remote"
)

// issuers looks at the keys of those who are trusted: files always, addresses when
// that was asked for.
func (d *doctor) issuers(ctx context.Context) {
	var looked []remote.Spec
	for _, s := range d.specs {
		if s.JWKSURL == "" || d.online {
			looked = append(looked, s)
		}
	}
	if len(looked) == 0 {
		return
	}
	d.look("trusted issuers")
	opened, err := remote.Open(ctx, looked, remote.Config{Dir: filepath.Dir(d.config.Keys.TrustedIssuersFile.Value), Now: d.now})
	if err != nil {
		d.add(finding{
			Level: levelError, Check: "issuers.keys", Where: "TOLLGATE_TRUSTED_ISSUERS_FILE", Found: telemetry.Scrub(err.Error()),
			Meaning: "the server does not start; one that runs keeps the keys that it has",
			Do:      "mend the files that it names",
		})
		return
	}
	defer opened.Close()
	for _, s := range opened.Status() {
		d.add(judgeIssuer(s)...)
	}
}

// judgeIssuer looks at what one issuer's keys are like.
func judgeIssuer(s remote.Status) []finding {
	f := finding{Check: "issuers.keys", Where: s.Issuer}
	switch {
	case s.Keys == 0:
		f.Level, f.Found = levelError, s.Source+" gives no key"
		if s.Err != nil {
			f.Found += ": " + telemetry.Scrub(s.Err.Error())
		}
		f.Meaning = "every token of this issuer is refused by a process that starts now"
		f.Do = "look at the address from this machine; plain curl shows what it answers"
	case s.LeftOut != nil:
		f.Level, f.Found = levelInfo, s.Source+" has keys that cannot be used: "+telemetry.Scrub(s.LeftOut.Error())
		f.Meaning = "tokens that they signed are refused; encryption keys and algorithms that are not listed in algorithms are none of our business"
		f.Do = "nothing, if none of them signs tokens that are meant for here; else ask the issuer"
	default:
		return nil
	}
	return []finding{f}
}
