package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// someFindings are of every kind, in no order.
func someFindings() []finding {
	fsync := finding{Level: levelInfo, Check: "redis.fsync", Found: "synced once a second", Meaning: "two seconds may be lost"}
	first, second := fsync, fsync
	first.Where, second.Where = "10.0.0.1:6379", "10.0.0.2:6379"
	return []finding{
		first,
		{Level: levelWarning, Check: "files.mode", Where: "TOLLGATE_TLS_KEY_FILE", Found: "every user may read it (mode 0644)", Meaning: "it holds a secret", Do: "chmod 0600"},
		second,
		{Level: levelError, Check: "redis.eviction", Where: "10.0.0.1:6379", Found: "maxmemory-policy is allkeys-lru", Meaning: "revocations are dropped", Do: "set it to noeviction"},
		second,
	}
}

// golden compares with a file in testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestReport(t *testing.T) {
	looked := []string{"configuration", "files", "redis"}
	tests := []struct {
		name string
		r    *report
	}{
		{"findings", newReport(someFindings(), looked)},
		{"nothing", newReport(nil, looked)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			c := &cli{out: &out, output: "table"}
			if err := c.show(tt.r); err != nil {
				t.Fatal(err)
			}
			golden(t, "doctor_"+tt.name+".golden", out.Bytes())
			out.Reset()
			c.output = "json"
			if err := c.show(tt.r); err != nil {
				t.Fatal(err)
			}
			golden(t, "doctor_"+tt.name+".json", out.Bytes())
			var read report
			if err := json.Unmarshal(out.Bytes(), &read); err != nil || read.Findings == nil || len(read.Looked) != 3 {
				t.Errorf("a script reads %+v: %v", read, err)
			}
		})
	}
}

func TestDoctorExits(t *testing.T) {
	warning, failure := finding{Level: levelWarning, Check: "w"}, finding{Level: levelError, Check: "e"}
	away := exitWith(exitUnreachable, "Redis is away")
	tests := []struct {
		name     string
		findings []finding
		verdict  error
		strict   bool
		want     int
	}{
		{"nothing", nil, nil, false, exitDone},
		{"a note", []finding{{Level: levelInfo}}, nil, true, exitDone},
		{"a warning", []finding{warning}, nil, false, exitDone},
		{"a warning, strictly", []finding{warning}, nil, true, exitRefused},
		{"an error", []finding{warning, failure}, nil, false, exitRefused},
		{"Redis is away", []finding{failure}, away, true, exitUnreachable},
		{"credentials", []finding{failure}, exitWith(exitUsage, "refused"), false, exitUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &doctor{findings: tt.findings, now: time.Now}
			err := d.exit(tt.verdict, tt.strict)
			if got := codeOf(err); got != tt.want || tt.verdict != nil && !errors.Is(err, tt.verdict) {
				t.Errorf("exit %d (%v), want %d", got, err, tt.want)
			}
		})
	}
}
