package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// configFault is one thing that is wrong with the settings.
type configFault struct {
	Name    string // of the variable
	Problem string
}

// configError is all that is wrong with the settings. Its text holds no secret.
type configError struct{ Faults []configFault }

// Error lists the faults, one on each line.
func (e *configError) Error() string {
	var b strings.Builder
	b.WriteString("the configuration has ")
	if len(e.Faults) == 1 {
		b.WriteString("a fault:")
	} else {
		fmt.Fprintf(&b, "%d faults:", len(e.Faults))
	}
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s %s", f.Name, f.Problem)
	}
	return b.String()
}

// loadConfig reads all settings from the environment. A variable that is not set
// takes its value from defaults, if it is there, else from its tag. The error is
// always a *configError that lists every fault; the Config is returned beside it,
// for its Warnings.
func loadConfig(defaults map[string]string) (*Config, error) {
	c := &Config{}
	var faults []configFault
	for _, g := range groupsOf(c) {
		if err := envconfig.Process("", g.settings); err != nil {
			// No field can fail to decode: only a mistake in Config itself gets here.
			return c, &configError{[]configFault{{"the group " + g.name, "cannot be read: " + reflect.TypeOf(err).String()}}}
		}
	}
	for _, v := range variablesOf(c) {
		v.complete(defaults)
		if problem := v.field.fault(); problem != "" {
			faults = append(faults, configFault{v.name, problem})
		}
	}
	faults = append(faults, c.relate(faults)...)
	faults = append(faults, c.tracing(os.Getenv)...)
	c.Warnings = append(c.Warnings, unknownVariables(c, os.Environ())...)
	if len(faults) > 0 {
		return c, &configError{faults}
	}
	return c, nil
}

// settingsGroup is one group of Config.
type settingsGroup struct {
	name     string
	settings any // pointer to the group's struct
	fields   reflect.Value
}

func groupsOf(c *Config) []settingsGroup {
	var out []settingsGroup
	config := reflect.ValueOf(c).Elem()
	for i := range config.NumField() {
		if name := config.Type().Field(i).Tag.Get("group"); name != "" {
			f := config.Field(i)
			out = append(out, settingsGroup{name, f.Addr().Interface(), f})
		}
	}
	return out
}

// variable is one environment variable with the field that it fills.
type variable struct {
	name  string
	group string
	field setting
	tag   reflect.StructTag
}

// variablesOf returns all variables in the order of Config.
func variablesOf(c *Config) []variable {
	var out []variable
	for _, g := range groupsOf(c) {
		for i := range g.fields.NumField() {
			tag := g.fields.Type().Field(i).Tag
			out = append(out, variable{
				name: tag.Get("envconfig"), group: g.name, tag: tag,
				field: g.fields.Field(i).Addr().Interface().(setting), // a test walks all fields
			})
		}
	}
	return out
}

// secret reports whether the variable's value must not be shown.
func (v variable) secret() bool {
	_, ok := v.field.(secretive)
	return ok
}

// source is where a variable's text comes from.
type source string

const (
	fromEnvironment source = "environment"
	fromFile        source = "file"    // that the _FILE twin names
	fromCaller      source = "command" // the command's own default, as dev has some
	fromDefault     source = "default"
)

// source returns it, and the text where it is not a file's.
func (v variable) source(defaults map[string]string) (text string, from source) {
	text, set := os.LookupEnv(v.name)
	if strings.TrimSpace(text) == "" && v.tag.Get("empty") != "off" {
		// Compose files and charts pass on what is not set as an empty text.
		set = false
	}
	switch fallback, ok := defaults[v.name]; {
	case set:
		return text, fromEnvironment
	case v.secret() && os.Getenv(v.name+"_FILE") != "":
		return "", fromFile
	case ok:
		return fallback, fromCaller
	}
	return v.tag.Get("default"), fromDefault
}

// complete does for a decoded variable what envconfig does not: files of secrets,
// variables that are set to nothing, the caller's defaults, and bounds.
func (v variable) complete(defaults map[string]string) {
	text, from := v.source(defaults)
	if from == fromCaller || from == fromDefault {
		_ = v.field.Decode(text) // never fails: it keeps its fault
	}
	if s, ok := v.field.(secretive); ok {
		loadSecret(s, v.name)
	}
	if f, ok := v.field.(constrained); ok && v.field.fault() == "" {
		f.constrain(v.tag)
	}
}
