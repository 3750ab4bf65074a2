package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/keys"
	"tollgate/keys/keyfile"
	"tollgate/keys/ring"
)

// exporting are the flags of keys export.
type exporting struct {
	format, dir, out string
	states           []string
	private          bool
}

func (c *cli) keysExport() *cobra.Command {
	var o exporting
	cmd := &cobra.Command{
		Use:   "export [KID…]",
		Short: "Write the public keys as JWKS or PEM, or one private key to a file",
		Long: `Write the public keys of the running system, all that are published or those
named: as a JWK Set or as PEM on standard output, or as one KID.pem each in a
directory, for verifiers that read files (HAProxy's jwt_verify).

With --private one key leaves with its private half: it is read from the key store
that TOLLGATE_* names, never over the network, and written as PKCS #8 to a new file
that only its owner can read.

` + auditedHelp,
		Example: `  tollgate keys export --format pem --state active,pending --dir /etc/haproxy/keys
  tollgate keys export --private 1aX… --out backup.pem`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.private {
				return c.exportPrivate(cmd, args, o.out)
			}
			if o.out != "" {
				return exitWith(exitUsage, "--out goes with --private; use --dir, or standard output")
			}
			return c.exportPublic(cmd, args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "jwks", "jwks or pem")
	f.StringSliceVar(&o.states, "state", nil, "only keys in these states: active, pending, retired")
	f.StringVar(&o.dir, "dir", "", "write one KID.pem for each key into this directory")
	f.BoolVar(&o.private, "private", false, "write the private half of one key (to --out)")
	f.StringVar(&o.out, "out", "", "file for the private key; it must not exist")
	return cmd
}

// exportPublic asks the running system.
func (c *cli) exportPublic(cmd *cobra.Command, kids []string, o exporting) error {
	if o.dir != "" && !cmd.Flags().Changed("format") {
		o.format = "pem"
	}
	if o.format != "jwks" && o.format != "pem" || o.dir != "" && o.format != "pem" {
		return exitWith(exitUsage, "--format is jwks or pem, and pem with --dir")
	}
	for _, s := range o.states {
		if !slices.Contains([]string{"active", "pending", "retired"}, s) {
			return exitWith(exitUsage, "--state is active, pending or retired, not %q", s)
		}
	}
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var r keyRing
	if err := admin.call(cmd.Context(), http.MethodGet, "/admin/v1/keys", nil, &r); err != nil {
		return err
	}
	var chosen []keyItem
	for _, k := range r.Items {
		if k.JWK != nil && (len(o.states) == 0 || slices.Contains(o.states, k.State)) && (len(kids) == 0 || slices.Contains(kids, k.ID)) {
			chosen = append(chosen, k)
		}
	}
	for _, kid := range kids {
		if !slices.ContainsFunc(chosen, func(k keyItem) bool { return k.ID == kid }) {
			return exitWith(exitNotFound, "there is no published key %s in that state", kid)
		}
	}
	if o.format == "jwks" {
		return c.writeJWKS(chosen)
	}
	return c.writePEM(chosen, o.dir)
}

func (c *cli) writeJWKS(chosen []keyItem) error {
	doc := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	for _, k := range chosen {
		doc.Keys = append(doc.Keys, k.JWK)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return exitWith(exitRefused, "the server's keys are not JSON")
	}
	_, err = fmt.Fprintln(c.out, string(text))
	return err
}

func (c *cli) writePEM(chosen []keyItem, dir string) error {
	for _, k := range chosen {
		pub, _, err := keyfile.ReadPublic(k.JWK, keys.Algorithm(k.Algorithm))
		if err != nil {
			return exitWith(exitRefused, "key %s: %w", k.ID, err)
		}
		text, err := keyfile.PublicPEM(pub)
		if err != nil {
			return exitWith(exitRefused, "key %s: %w", k.ID, err)
		}
		if dir == "" {
			if _, err := c.out.Write(text); err != nil {
				return err
			}
			continue
		}
		path := filepath.Join(dir, fileName(k.ID)+".pem")
		if err := replaceFile(path, text); err != nil {
			return &exitError{exitRefused, err}
		}
		fmt.Fprintf(c.out, "%s\t%s\t%s\n", k.State, k.Algorithm, path)
	}
	return nil
}

// fileName makes a name of a key id, which may be anything: a thumbprint stays as
// it is.
func fileName(kid string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, kid)
}

// replaceFile puts a file in place whole: a verifier may read it at any moment.
func replaceFile(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".tollgate-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}

// exportPrivate reads the key store itself.
func (c *cli) exportPrivate(cmd *cobra.Command, kids []string, out string) error {
	if len(kids) != 1 || out == "" {
		return exitWith(exitUsage, "--private takes one KID and --out FILE")
	}
	k, err := openKeys()
	if err != nil {
		return err
	}
	defer k.close()
	return k.audited(cmd.Context(), c.err, actionKeyExport, "key", kids[0], func() error {
		return c.writePrivate(cmd.Context(), k.Config, kids[0], out)
	})
}

// writePrivate writes the private half of a key of the store into a new file.
func (c *cli) writePrivate(ctx context.Context, cfg ring.Config, kid, out string) error {
	r, err := loadRing(ctx, cfg)
	if err != nil {
		return err
	}
	for _, k := range r.Keys {
		if k.ID != kid {
			continue
		}
		if k.Private == nil {
			return exitWith(exitRefused, "the %s key %s has no private half here", k.State, k.ID)
		}
		text, err := keyfile.PrivatePEM(k.Private)
		if err != nil {
			return &exitError{exitRefused, err}
		}
		if err := keyfile.WriteNew(out, text); errors.Is(err, fs.ErrExist) {
			return exitWith(exitRefused, "nothing was written to %s: %w", out, fs.ErrExist)
		} else if err != nil {
			return &exitError{exitRefused, err}
		}
		fmt.Fprintf(c.err, "the private half of the %s %s key %s is in %s: whoever reads it can sign for %s\n", k.State, k.Algorithm, k.ID, out, r.Issuer)
		return nil
	}
	return exitWith(exitNotFound, "there is no key %s in the ring", kid)
}
