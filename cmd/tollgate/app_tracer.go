package main

import (
	"context"
	"time"

	"tollgate/internal/telemetry"
)

// openTracer makes spans, where the OTEL_* variables ask for them.
func (a *app) openTracer(ctx context.Context) error {
	if !a.config.Tracing {
		return nil
	}
	tracer, err := telemetry.NewTracer(ctx, telemetry.TracerOptions{Version: versionOf().Version, Instance: a.instance, Log: a.log})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	a.tracer = tracer
	a.closeOthers = append(a.closeOthers, func() {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := tracer.Close(patience); err != nil {
			a.log.Warn("spans were lost", "error", err)
		}
	})
	return nil
}
