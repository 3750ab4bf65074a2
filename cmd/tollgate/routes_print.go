package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tollgate/gateway"
)

// printFinding shows what becomes of a request: as JSON in full; else the policy of
// its route line by line, why it is this route, and why not another.
func (c *cli) printFinding(f gateway.Finding) error {
	if c.output == "json" {
		if err := c.print(f, nil, nil); err != nil {
			return err
		}
	} else if err := c.printPolicy(f); err != nil {
		return err
	}
	if f.Status != 0 {
		return exitWith(exitRefused, "%d %s: %s", f.Status, http.StatusText(f.Status), f.Why)
	}
	return nil
}

func (c *cli) printPolicy(f gateway.Finding) error {
	rows := [][]string{}
	if f.Route != nil {
		rows = policyOf(*f.Route)
	}
	if f.Status == 0 {
		rows = append(rows, []string{"why", f.Why})
	}
	for _, other := range f.Others {
		rows = append(rows, []string{"not " + other.Route, other.Why})
	}
	if len(rows) == 0 {
		return nil
	}
	name := "-"
	if f.Route != nil {
		name = f.Route.Name
	}
	return c.print(nil, []string{"ROUTE", name}, rows)
}

// policyOf lists everything that holds for requests of a route, defaults included.
func policyOf(d gateway.Description) [][]string {
	yes := strconv.FormatBool
	rows := [][]string{
		{"hosts", orElse(strings.Join(d.Hosts, ", "), "any")},
		{"path", d.Path},
		{"methods", orElse(strings.Join(d.Methods, ", "), "any")},
		{"allow", orElse(strings.Join(d.Allow, ", "), "no unusual spelling of a path")},
		{"upstream", d.Upstream + " " + strings.Join(d.URLs, " ")},
		{"strip prefix", d.StripPrefix},
		{"preserve host", yes(d.PreserveHost)},
		{"timeout", d.Timeout},
		{"auth", modeOf(d)},
	}
	if d.Mode != string(gateway.None) {
		rows = append(rows,
			[]string{"token from", strings.Join(d.TokenFrom, ", ")},
			[]string{"token types", orElse(strings.Join(d.TokenTypes, ", "), "access")},
			[]string{"audiences", orElse(strings.Join(d.Audiences, ", "), "the issuer's")},
			[]string{"scopes", strings.Join(d.Scopes, " ")},
			[]string{"claims", pairs(d.Claims, " is ")},
			[]string{"on unavailable", d.OnUnavailable},
			[]string{"max stale", d.MaxStale},
			[]string{"identity headers", pairs(d.IdentityHeader, " = ")},
			[]string{"origins", orElse(strings.Join(d.Origins, ", "), "our own")},
			[]string{"close streams", yes(d.CloseStreams)},
		)
	}
	return append(rows,
		[]string{"forward authorization", yes(d.ForwardAuthorization)},
		[]string{"cors", orElse(strings.Join(d.CORSOrigins, ", "), "nobody")},
		[]string{"websocket", yes(d.WebSocket)},
		[]string{"rate", orElse(d.Rate, "no limit")},
		[]string{"body", orElse(bytesOf(d.BodyLimit), "no limit")},
	)
}

func (c *cli) printRoutes(asJSON any, all []gateway.Description) error {
	var rows [][]string
	for _, d := range all {
		rows = append(rows, []string{
			d.Name, orElse(strings.Join(d.Hosts, ","), "any"), d.Path, orElse(strings.Join(d.Methods, ","), "any"), modeOf(d),
			strings.Join(d.Scopes, " "), d.Upstream, strings.Join(d.URLs, " "), strings.Join(d.TokenFrom, ","), settingsOf(d),
		})
	}
	return c.print(asJSON, []string{"NAME", "HOSTS", "PATH", "METHODS", "AUTH", "SCOPES", "UPSTREAM", "URLS", "TOKEN FROM", "SETTINGS"}, rows)
}

// settingsOf lists what a route has of its own beside who may pass and where to, as
// the routes file calls it; what is as by default is left out.
func settingsOf(d gateway.Description) string {
	var out []string
	for _, one := range []struct {
		name, value string
	}{
		{"allow", strings.Join(d.Allow, ",")}, {"origins", strings.Join(d.Origins, ",")}, {"cors", strings.Join(d.CORSOrigins, ",")},
		{"rate", strings.ReplaceAll(d.Rate, " per ", ",per=")}, {"body", bytesOf(d.BodyLimit)}, {"websocket", unless(d.WebSocket, false)},
		{"close_streams", unless(d.CloseStreams, true)}, {"forward_authorization", unless(d.ForwardAuthorization, true)},
		{"preserve_host", unless(d.PreserveHost, false)}, {"strip_prefix", d.StripPrefix},
	} {
		if one.value != "" {
			out = append(out, one.name+"="+one.value)
		}
	}
	return strings.Join(out, " ")
}

func modeOf(d gateway.Description) string {
	if d.ReportOnly {
		return d.Mode + " (report only)"
	}
	return d.Mode
}

// bytesOf shows a size as the routes file writes it; empty for none.
func bytesOf(n int64) string {
	switch {
	case n == 0:
		return ""
	case n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", n>>10)
	}
	return strconv.FormatInt(n, 10)
}

// unless is empty for what a setting is by default.
func unless(value, otherwise bool) string {
	if value == otherwise {
		return ""
	}
	return strconv.FormatBool(value)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func pairs(m map[string]string, between string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name+between+m[name])
	}
	return strings.Join(out, ", ")
}
