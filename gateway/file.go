package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// file is the routes file as it is written. Every field that is not named here
// is an error with its line and column.
type file struct {
	Version   int                     `yaml:"version"`
	Defaults  fileSettings            `yaml:"defaults"`
	Upstreams map[string]fileUpstream `yaml:"upstreams"`
	Routes    []fileRoute             `yaml:"routes"`
}

// fileSettings are what a route and the defaults have in common.
type fileSettings struct {
	Auth         fileAuth          `yaml:"auth"`
	Revocation   fileRevocation    `yaml:"revocation"`
	Identity     map[string]string `yaml:"identity_headers"`
	Timeout      *duration         `yaml:"timeout"`
	ForwardAuz   *bool             `yaml:"forward_authorization"`
	ReportOnly   *bool             `yaml:"report_only"`
	CloseStreams *bool             `yaml:"close_streams"`
	CORS         *fileCORS         `yaml:"cors"`
	Limits       fileLimits        `yaml:"limits"`
}

type fileUpstream struct {
	URLs           []string   `yaml:"urls"`
	Balance        string     `yaml:"balance"`
	Health         fileHealth `yaml:"health"`
	Eject          fileEject  `yaml:"eject"`
	ConnectTimeout *duration  `yaml:"connect_timeout"`
	IdleTimeout    *duration  `yaml:"idle_timeout"`
	MaxInFlight    int        `yaml:"max_in_flight"`
	HTTP2          bool       `yaml:"http2"`
	TLS            fileTLS    `yaml:"tls"`
}

type fileHealth struct {
	Path    string    `yaml:"path"`
	Every   *duration `yaml:"every"`
	Timeout *duration `yaml:"timeout"`
}

type fileEject struct {
	After int       `yaml:"after"`
	For   *duration `yaml:"for"`
}

type fileTLS struct {
	CAFile     string `yaml:"ca_file"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
}

type fileRoute struct {
	Name      string       `yaml:"name"`
	Match     fileMatch    `yaml:"match"`
	Upstream  string       `yaml:"upstream"`
	Rewrite   fileRewrite  `yaml:"rewrite"`
	WebSocket bool         `yaml:"websocket"`
	Origins   []string     `yaml:"origins"`
	Own       fileSettings `yaml:",inline"`
}

type fileMatch struct {
	Hosts   []string `yaml:"hosts"`
	Path    string   `yaml:"path"`
	Methods []string `yaml:"methods"`
	Allow   []string `yaml:"allow"`
}

type fileAuth struct {
	Mode       string         `yaml:"mode"`
	Audiences  []string       `yaml:"audiences"`
	TokenFrom  []string       `yaml:"token_from"`
	TokenTypes []string       `yaml:"token_types"`
	Scopes     []string       `yaml:"scopes"`
	Claims     map[string]any `yaml:"claims"`
}

type fileRevocation struct {
	OnUnavailable string    `yaml:"on_unavailable"`
	MaxStale      *duration `yaml:"max_stale"`
}

type fileRewrite struct {
	StripPrefix  string `yaml:"strip_prefix"`
	PreserveHost bool   `yaml:"preserve_host"`
}

type fileCORS struct {
	Origins []string `yaml:"origins"`
}

type fileLimits struct {
	Body *size  `yaml:"body"`
	Rate string `yaml:"rate"`
	Per  string `yaml:"per"`
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

// size is a number of bytes: 500, 64KiB, 2MiB, 1GiB.
type size int64

// UnmarshalYAML reads a size with or without its unit.
func (s *size) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	number, unit := text, int64(1)
	for i, suffix := range []string{"KiB", "MiB", "GiB"} {
		if digits, found := strings.CutSuffix(text, suffix); found {
			number, unit = digits, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > 1<<53/unit {
		return fmt.Errorf("%q is not a size like 64KiB or 2MiB", text)
	}
	*s = size(n * unit)
	return nil
}

// Defaults of what a routes file leaves open, from the process's settings.
type Defaults struct {
	// UserIDClaim is told to the back end as X-User-Id.
	UserIDClaim string
	// OnUnavailable is deny or allow; empty: deny.
	OnUnavailable string
	// MaxStale of what is known about revocations.
	MaxStale time.Duration
	// Cookie and ImpersonationCookie are looked at after the header; empty: not.
	Cookie, ImpersonationCookie string
	// RefreshCookie is the issuer's alone: no back end gets to see it; empty: none.
	RefreshCookie string
	// CORSOrigins of routes that say nothing about CORS.
	CORSOrigins []string
}

// ReadRoutesFiles reads a routes file. It returns every fault at once: those of the
// YAML itself with line and column, the others by the route's name. With the table come
// the files that the routes file names, sorted, whether there are faults or not: where
// one of them changes, the same text has another meaning.
func ReadRoutesFiles(data []byte, d Defaults) (table *Table, files []string, err error) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("routes file: %s", yaml.FormatError(err, false, true))
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("routes file: more than one document")
	}
	table, err = f.compile(d)
	return table, f.files(), err
}

// files lists the files that are read when the routes are compiled.
func (f *file) files() []string {
	var list []string
	for _, u := range f.Upstreams {
		for _, name := range []string{u.TLS.CAFile, u.TLS.CertFile, u.TLS.KeyFile} {
			if name != "" {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
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
