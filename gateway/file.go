package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/goccy/go-yaml"
)

// file is the routes file as it is written. Every field that is not named here
// is an error with its line and column.
type file struct {
	Version   int                     `yaml:"version"`
	Defaults  fileDefaults            `yaml:"defaults"`
	Upstreams map[string]fileUpstream `yaml:"upstreams"`
	Routes    []fileRoute             `yaml:"routes"`
}

type fileDefaults struct {
	Auth       fileAuth          `yaml:"auth"`
	Revocation fileRevocation    `yaml:"revocation"`
	Identity   map[string]string `yaml:"identity_headers"`
	Timeout    *duration         `yaml:"timeout"`
	ForwardAuz *bool             `yaml:"forward_authorization"`
}

type fileUpstream struct {
	URLs []string `yaml:"urls"`
}

type fileRoute struct {
	Name       string            `yaml:"name"`
	Match      fileMatch         `yaml:"match"`
	Upstream   string            `yaml:"upstream"`
	Auth       fileAuth          `yaml:"auth"`
	Revocation fileRevocation    `yaml:"revocation"`
	Identity   map[string]string `yaml:"identity_headers"`
	Rewrite    fileRewrite       `yaml:"rewrite"`
	Timeout    *duration         `yaml:"timeout"`
	ForwardAuz *bool             `yaml:"forward_authorization"`
}

type fileMatch struct {
	Hosts   []string `yaml:"hosts"`
	Path    string   `yaml:"path"`
	Methods []string `yaml:"methods"`
}

type fileAuth struct {
	Mode       string   `yaml:"mode"`
	Audiences  []string `yaml:"audiences"`
	TokenTypes []string `yaml:"token_types"`
	Scopes     []string `yaml:"scopes"`
}

type fileRevocation struct {
	OnUnavailable string    `yaml:"on_unavailable"`
	MaxStale      *duration `yaml:"max_stale"`
}

type fileRewrite struct {
	StripPrefix  string `yaml:"strip_prefix"`
	PreserveHost bool   `yaml:"preserve_host"`
}

// duration is written as Go writes it: 30s, 1m30s.
type duration time.Duration

// UnmarshalYAML reads a duration with its unit.
func (d *duration) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return fmt.Errorf("%q is not a duration like 30s or 1m30s", text)
	}
	*d = duration(parsed)
	return nil
}

func (d *duration) or(otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return time.Duration(*d)
}

// Defaults of what a routes file leaves open, from the process's settings.
type Defaults struct {
	// UserIDClaim is told to the back end as X-User-Id.
	UserIDClaim string
	// Audiences that our own tokens are issued for are asked for by the issuer's
	// own setting; these are the routes'. Default none.
	OnUnavailable string
	// MaxStale of what is known about revocations.
	MaxStale time.Duration
}

// ReadRoutes reads a routes file. It returns every fault at once: those of the
// YAML itself with line and column, the others by the route's name.
func ReadRoutes(data []byte, d Defaults) (*Table, error) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("routes file: %s", yaml.FormatError(err, false, true))
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("routes file: more than one document")
	}
	return f.compile(d)
}

// SingleRoute returns the table of a process that was given nothing but one
// upstream: the whole site needs a token.
func SingleRoute(upstream string, d Defaults) (*Table, error) {
	f := file{
		Version:   1,
		Upstreams: map[string]fileUpstream{"upstream": {URLs: []string{upstream}}},
		Routes:    []fileRoute{{Name: "site", Match: fileMatch{Path: "/"}, Upstream: "upstream"}},
	}
	return f.compile(d)
}
