package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"time"
)

// OpsOptions says what the ops listener shows.
type OpsOptions struct {
	// Checks decide readiness, and are listed in this order.
	Checks []Check
	// Draining reports whether the process is shutting down; it is a check of
	// its own. Nil means never.
	Draining func() bool
	// Metrics are served at /metrics; nil answers 404 there.
	Metrics *Metrics
	// Profiling serves net/http/pprof below /debug/pprof/: heap, CPU and goroutines of
	// the running process. They show the code's names, and no values.
	Profiling bool
	// Timeout bounds a readiness answer; 0 means 2 s.
	Timeout time.Duration
}

// Ops returns the handler of the ops listener: /livez (the process answers, and
// depends on nothing else), /readyz (requests may be sent here) with ?verbose and
// ?exclude=NAME, /healthz as its old name, /metrics, and where asked for
// /debug/pprof/.
func Ops(o OpsOptions) http.Handler {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Draining != nil {
		o.Checks = append(slices.Clone(o.Checks), Check{Name: "draining", Probe: func(context.Context) error {
			if o.Draining() {
				return errors.New("shutting down")
			}
			return nil
		}})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", o.ready)
	mux.HandleFunc("GET /healthz", o.ready)
	mux.Handle("GET /metrics", o.Metrics.Handler())
	if o.Profiling {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func (o OpsOptions) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), o.Timeout)
	defer cancel()
	query := r.URL.Query()
	checks := slices.DeleteFunc(slices.Clone(o.Checks), func(c Check) bool {
		return slices.Contains(query["exclude"], c.Name)
	})
	outcomes := runChecks(ctx, checks)
	status := http.StatusOK
	for _, out := range outcomes {
		if out.err != nil {
			status = http.StatusServiceUnavailable
		}
	}
	switch {
	case strings.Contains(r.Header.Get("Accept"), "application/json"):
		writeReadyJSON(w, status, outcomes)
	case query.Has("verbose") || status != http.StatusOK:
		writeText(w, status, readyText(status, outcomes))
	default:
		writeText(w, status, "ok\n")
	}
}

// readyText looks like the answer of a Kubernetes component.
func readyText(status int, outcomes []outcome) string {
	var b strings.Builder
	for _, out := range outcomes {
		if out.err != nil {
			fmt.Fprintf(&b, "[-]%s failed: %s\n", out.name, Scrub(out.err.Error()))
			continue
		}
		fmt.Fprintf(&b, "[+]%s ok (%s)\n", out.name, milliseconds(out.took))
	}
	if status == http.StatusOK {
		b.WriteString("readyz check passed\n")
	} else {
		b.WriteString("readyz check failed\n")
	}
	return b.String()
}

func writeReadyJSON(w http.ResponseWriter, status int, outcomes []outcome) {
	type check struct {
		Name       string  `json:"name"`
		OK         bool    `json:"ok"`
		DurationMS float64 `json:"duration_ms"`
		Error      string  `json:"error,omitempty"`
	}
	body := struct {
		OK     bool    `json:"ok"`
		Checks []check `json:"checks"`
	}{OK: status == http.StatusOK, Checks: []check{}}
	for _, out := range outcomes {
		c := check{Name: out.name, OK: out.err == nil, DurationMS: float64(out.took.Microseconds()) / 1000}
		if out.err != nil {
			c.Error = Scrub(out.err.Error())
		}
		body.Checks = append(body.Checks, c)
	}
	noStore(w, "application/json", status)
	_ = json.NewEncoder(w).Encode(body) // a prober that went away
}

func writeText(w http.ResponseWriter, status int, text string) {
	noStore(w, "text/plain; charset=utf-8", status)
	_, _ = w.Write([]byte(text)) // a prober that went away
}

func noStore(w http.ResponseWriter, contentType string, status int) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}
