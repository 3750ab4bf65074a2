package telemetry_test

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"

	"tollgate/internal/telemetry"
)

func TestNewLogger(t *testing.T) {
	tests := []struct {
		name string
		o    telemetry.LogOptions
		want string // in the line; "" means no line at Info
	}{
		{"zero value is JSON off a terminal", telemetry.LogOptions{}, `"msg":"hello"`},
		{"auto", telemetry.LogOptions{Format: "auto", Level: "INFO"}, `"msg":"hello"`},
		{"json", telemetry.LogOptions{Format: "json", Level: "debug"}, `"msg":"hello"`},
		{"text", telemetry.LogOptions{Format: "text"}, `msg=hello`},
		{"warn", telemetry.LogOptions{Level: "warn"}, ""},
		{"error", telemetry.LogOptions{Level: "Error"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var buf bytes.Buffer
			log, err := telemetry.NewLogger(&buf, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("hello")
			if got := buf.String(); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("logged %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewLoggerOnAFile(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := telemetry.NewLogger(f, telemetry.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hello")
	if got, _ := os.ReadFile(f.Name()); !bytes.HasPrefix(got, []byte("{")) {
		t.Errorf("a file is no terminal, got %q", got)
	}
}

func TestNewLoggerRefuses(t *testing.T) {
	for _, o := range []telemetry.LogOptions{{Format: "xml"}, {Level: "loud"}, {Level: "info+2"}} {
		if log, err := telemetry.NewLogger(&bytes.Buffer{}, o); err == nil || log != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if l, err := telemetry.ParseLevel("WARN"); err != nil || l != slog.LevelWarn {
		t.Errorf("WARN: %v %v", l, err)
	}
}
