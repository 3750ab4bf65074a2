package console

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
)

// functions are what templates can do beside showing text.
func functions(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"when":   func(t any) moment { return momentOf(t, now()) },
		"short":  short,
		"age":    age,
		"escape": url.PathEscape,
		"join":   func(list []string) string { return strings.Join(list, ", ") },
		"plural": plural,
	}
}

// moment is a time for people: how far it is, and exactly when.
type moment struct {
	ISO   string
	UTC   string
	Words string
}

func momentOf(v any, now time.Time) moment {
	var t time.Time
	switch x := v.(type) {
	case time.Time:
		t = x
	case *time.Time:
		if x != nil {
			t = *x
		}
	}
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), UTC: t.Format("2006-01-02 15:04:05 UTC"), Words: distance(t.Sub(now))}
}

func distance(d time.Duration) string {
	switch {
	case d > -time.Second && d < time.Second:
		return "now"
	case d < 0:
		return length(-d) + " ago"
	}
	return "in " + length(d)
}

// length is a duration in its greatest unit, rounded down; days to the nearest, so that
// what was just made for 30 of them does not end in 29.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	if days := (d + day/2) / day; days < 730 {
		return fmt.Sprintf("%d d", days)
	}
	return fmt.Sprintf("%d years", d/(365*day))
}

// short cuts the middle out of an identifier; the whole one stands beside it.
func short(id string) string {
	r := []rune(id)
	if len(r) <= 18 {
		return id
	}
	return string(r[:8]) + "…" + string(r[len(r)-6:])
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// age is a duration of the API without digits that nobody reads.
func age(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
