package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// printedSetting is a variable with what is in force.
type printedSetting struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// Value is in force: what was set or the default, cut to what it may be. A secret
	// is masked; empty means that it is not set.
	Value  string `json:"value"`
	Source source `json:"source"`
	Secret bool   `json:"secret"`
	// Note says why the value is another than what was set, or what is wrong with it.
	Note string `json:"note,omitempty"`
}

func (c *cli) configPrint() *cobra.Command {
	var changed bool
	cmd := &cobra.Command{
		Use: "print", Short: "Print the settings that are in force and where each comes from, secrets masked",
		Long: `Print the settings that are in force and where each comes from: the environment, the
file that a _FILE variable names, or the default. Secrets are masked. With faults
(exit 2) the rest is printed nevertheless.`,
		Example: "  tollgate config print\n  tollgate config print --changed -o json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			config, err := loadConfig(nil)
			settings := printedSettings(config, err)
			var rows [][]string
			shown := []printedSetting{}
			for _, s := range settings {
				if changed && s.Source == fromDefault && s.Note == "" {
					continue
				}
				shown = append(shown, s)
				rows = append(rows, []string{s.Name, s.Value, string(s.Source), s.Note})
			}
			if err := c.print(shown, []string{"VARIABLE", "VALUE", "SOURCE", "NOTE"}, rows); err != nil {
				return err
			}
			for _, warning := range config.Warnings {
				fmt.Fprintln(c.err, "warning:", warning)
			}
			if err != nil {
				return &exitError{exitUsage, err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&changed, "changed", false, "leave out what has its default")
	return cmd
}

// printedSettings are all variables, with the faults of loading them.
func printedSettings(c *Config, loading error) []printedSetting {
	notes := c.corrections()
	faulty := map[string]string{}
	if faults, ok := errors.AsType[*configError](loading); ok {
		for _, f := range faults.Faults {
			faulty[f.Name] = f.Problem
		}
	}
	var out []printedSetting
	for _, v := range variablesOf(c) {
		_, from := v.source(nil)
		p := printedSetting{Name: v.name, Group: v.group, Value: v.field.show(), Source: from, Secret: v.secret()}
		if n, ok := notes[v.name]; ok {
			p.Value, p.Note = n.value, n.why
		}
		if problem, ok := faulty[v.name]; ok {
			p.Value, p.Note = "", "fault: "+problem
		}
		out = append(out, p)
	}
	return out
}

// correction is a value in force that is not what its variable says.
type correction struct{ value, why string }

// corrections are what becomes of some settings because of others.
func (c *Config) corrections() map[string]correction {
	out := map[string]correction{}
	if age := c.jwksMaxAge(); age != c.Keys.JWKSMaxAge.Value {
		out["TOLLGATE_JWKS_MAX_AGE"] = correction{short(age), "cut to TOLLGATE_KEY_PREPUBLISH"}
	}
	if c.Login.Concurrency.Value == 0 {
		out["TOLLGATE_LOGIN_CONCURRENCY"] = correction{strconv.Itoa(c.loginSlots()), "0: one per processor"}
	}
	for _, v := range variablesOf(c) {
		if v.name != "TOLLGATE_REFRESH_TTL" {
			continue
		}
		text, _ := v.source(nil)
		if set, err := time.ParseDuration(text); err == nil && set > c.Tokens.RefreshTTL.Value {
			out[v.name] = correction{short(c.Tokens.RefreshTTL.Value), "cut to TOLLGATE_SESSION_MAX_TTL"}
		}
	}
	return out
}
