package ratelimit_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]ratelimit.Rate{
		"50/s":             {Limit: 50, Per: time.Second, Burst: 50},
		"10/m":             {Limit: 10, Per: time.Minute, Burst: 10},
		"1000/h":           {Limit: 1000, Per: time.Hour, Burst: 1000},
		"1/h":              {Limit: 1, Per: time.Hour, Burst: 1},
		"1000000/s":        {Limit: 1_000_000, Per: time.Second, Burst: 1_000_000},
		"60000000/m":       {Limit: 60_000_000, Per: time.Minute, Burst: 60_000_000},
		"0050/s":           {Limit: 50, Per: time.Second, Burst: 50},
		"2147483647/h":     {Limit: math.MaxInt32, Per: time.Hour, Burst: math.MaxInt32},
		"":                 {},
		"50":               {},
		"50/":              {},
		"/s":               {},
		"50/d":             {},
		"50/S":             {},
		"50/s ":            {},
		" 50/s":            {},
		"50 /s":            {},
		"+50/s":            {},
		"-50/s":            {},
		"0/s":              {},
		"5.5/s":            {},
		"5e3/s":            {},
		"50/s/s":           {},
		"50/10s":           {},
		"1000001/s":        {},
		"60000001/m":       {},
		"2147483648/h":     {},
		"9999999999999/h":  {},
		"0x10/s":           {},
		"1_000/s":          {},
		"50/s\n":           {},
		"99999999999999/s": {},
	} {
		got, err := ratelimit.ParseRate(text)
		if got != want || (err == nil) == (want == ratelimit.Rate{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if err != nil && !errors.Is(err, ratelimit.ErrRate) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			if again, err := ratelimit.ParseRate(got.String()); err != nil || again != got {
				t.Errorf("%q: written as %q and read as %+v, %v", text, got, again, err)
			}
		}
	}
}

// TestRateOfAnySort: there is no rate that a limiter cannot count by.
func TestRateOfAnySort(t *testing.T) {
	for _, tt := range []struct {
		rate           ratelimit.Rate
		text           string
		interval, span int64
	}{
		{ratelimit.Rate{Limit: 4, Per: time.Second}, "4/s", 250_000, 1_000_000},
		{ratelimit.Rate{Limit: 4, Per: time.Second, Burst: 1}, "4/s", 250_000, 250_000},
		{ratelimit.Rate{Limit: 3, Per: time.Second}, "3/s", 333_333, 999_999},
		{ratelimit.Rate{Limit: 2, Per: 10 * time.Second}, "2/10s", 5_000_000, 10_000_000},
		{ratelimit.Rate{Limit: 5}, "", 200_000, 1_000_000},
		{ratelimit.Rate{Limit: -1, Per: -1}, "-1/-1ns", 1_000_000, 1_000_000},
		{ratelimit.Rate{Limit: 7, Per: time.Microsecond}, "7/1µs", 1, 7},
		{ratelimit.Rate{Limit: 1, Per: math.MaxInt64, Burst: math.MaxInt}, "1/2562047h47m16.854775807s", 31_536_000_000_000, 35 * 31_536_000_000_000},
		{ratelimit.Rate{}, "", 1_000_000, 1_000_000},
	} {
		if tt.rate.String() != tt.text || tt.rate.Interval() != tt.interval || tt.rate.Span() != tt.span {
			t.Errorf("%#v: %q, interval %d, span %d", tt.rate, tt.rate, tt.rate.Interval(), tt.rate.Span())
		}
	}
}
