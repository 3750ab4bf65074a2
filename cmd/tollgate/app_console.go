package main

import (
	"context"
	"fmt"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/admin"
	"tollgate/revocation"
)

// statusOf lets the admin API say how this process is.
func (a *app) statusOf(history *telemetry.History, started time.Time) func(context.Context) admin.Status {
	version := versionOf().Version
	return func(ctx context.Context) admin.Status {
		now := time.Now()
		s := admin.Status{
			Instance: a.instance, Version: version, Started: started.UTC(), Warnings: append([]string{}, a.config.Warnings...),
			Checks: []admin.Check{}, Activity: history.Samples(now),
		}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		for _, check := range a.checks() {
			one := admin.Check{Name: check.Name, OK: true}
			if err := check.Probe(ctx); err != nil {
				one.OK, one.Error = false, telemetry.Scrub(err.Error())
				s.Warnings = append(s.Warnings, fmt.Sprintf("not ready: %s: %s", one.Name, one.Error))
			}
			s.Checks = append(s.Checks, one)
		}
		if m := a.revocations.mirror; m != nil {
			s.Mirror = mirrorOf(m.Status())
			if s.Mirror.Level && a.config.Revocation.MaxStale.Value < m.Status().Stale {
				s.Warnings = append(s.Warnings, "what this process knows of revocations is "+s.Mirror.Stale+" old: routes with on_unavailable deny answer 503")
			}
		}
		return s
	}
}

func mirrorOf(m revocation.MirrorStatus) *admin.Mirror {
	out := &admin.Mirror{Level: m.Level, N: m.N, Stale: m.Stale.Round(time.Millisecond).String(), Entries: m.Entries, Bytes: m.Bytes, Heard: m.Propagation.Count}
	if out.Heard > 0 {
		out.P50, out.P99 = within(m.Propagation, 50), within(m.Propagation, 99)
	}
	return out
}

// within is the bound under which so many records of a hundred stayed.
func within(p revocation.Propagation, percent uint64) string {
	bounds, sum := revocation.PropagationBounds(), uint64(0)
	for i, n := range p.Buckets {
		if sum += n; sum*100 >= p.Count*percent && i < len(bounds) {
			return "≤ " + bounds[i].String()
		}
	}
	return "> " + bounds[len(bounds)-1].String()
}

// settingsOf are the settings in force, as config print shows them.
func (a *app) settingsOf() func() []admin.Setting {
	var out []admin.Setting
	for _, p := range printedSettings(a.config, nil) {
		out = append(out, admin.Setting{Name: p.Name, Group: p.Group, Value: p.Value, Source: string(p.Source), Secret: p.Secret, Note: p.Note})
	}
	return func() []admin.Setting { return out }
}
