package main

import (
	"crypto/sha256"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"tollgate/gateway"
	"tollgate/keys/remote"
)

// contents remembers what files held; a file that could not be read is there with
// the zero sum.
type contents map[string][sha256.Size]byte

// look reads the files.
func look(files []string) contents {
	c := contents{}
	for _, f := range files {
		c[f] = [sha256.Size]byte{}
		if data, err := os.ReadFile(f); err == nil {
			c[f] = sha256.Sum256(data)
		}
	}
	return c
}

// names lists the files, sorted.
func (c contents) names() []string { return slices.Sorted(maps.Keys(c)) }

// changed reports whether one of the files holds something else by now.
func (c contents) changed() bool { return !maps.Equal(c, look(c.names())) }

// configured is what the files say: the routes and the trusted issuers.
type configured struct {
	table    *gateway.Table // nil without the gateway role
	specs    []remote.Spec
	warnings []string
	// seen is what it was made of: the two files, and every file that they name. It
	// is there beside an error, too: a fault may be mended in any of them.
	seen contents
}

// readFiles reads the routes and the trusted issuers.
func readFiles(c *Config) (*configured, error) {
	named := rootFiles(c)
	for {
		// What is remembered is older than what is used. A change in between is one
		// that the next poll sees; a file that is named for the first time was not
		// looked at in time, and all is read once more.
		seen := look(named)
		table, routeFiles, routesErr := routes(c)
		specs, warnings, issuersErr := readTrusted(c)
		found := slices.Concat(rootFiles(c), routeFiles, issuerFiles(c, specs))
		known := !slices.ContainsFunc(found, func(f string) bool { _, looked := seen[f]; return !looked })
		if known {
			maps.DeleteFunc(seen, func(f string, _ [sha256.Size]byte) bool { return !slices.Contains(found, f) })
			return &configured{table, specs, warnings, seen}, errors.Join(routesErr, issuersErr)
		}
		named = append(named, found...)
	}
}

// rootFiles are those that the environment names.
func rootFiles(c *Config) []string {
	var out []string
	if f := c.Routes.RoutesFile.Value; f != "" && c.Roles.Gateway.Value {
		out = append(out, f)
	}
	if f := c.Keys.TrustedIssuersFile.Value; f != "" {
		out = append(out, f)
	}
	return out
}

// issuerFiles are those that hold the keys of trusted issuers.
func issuerFiles(c *Config, specs []remote.Spec) []string {
	var out []string
	for _, s := range specs {
		for _, f := range []string{s.JWKSFile, s.KeyFile, s.HS256SecretFile} {
			switch {
			case f == "":
			case filepath.IsAbs(f):
				out = append(out, f)
			default:
				out = append(out, filepath.Join(filepath.Dir(c.Keys.TrustedIssuersFile.Value), f))
			}
		}
	}
	return out
}
