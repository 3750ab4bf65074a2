package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/keys"
	"tollgate/keys/keyfile"
	"tollgate/keys/ring"
)

// importing are the flags of keys import.
type importing struct {
	alg, kid, passphraseFile, reference string
	active, yes                         bool
}

func (c *cli) keysImport() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Bring a private key into the ring, in the key store that TOLLGATE_* names",
		Long: `Bring a private key into the ring. It works on the key store itself, with the
TOLLGATE_* variables of the server (TOLLGATE_ISSUER, TOLLGATE_KEY_STORE,
TOLLGATE_REDIS_URL, TOLLGATE_KEY_ENCRYPTION_KEY); the running instances take the
key over within a second.

The file is PEM (PKCS #1, SEC 1, PKCS #8, PKCS #8 encrypted with PBES2) or a JWK;
"-" is standard input. The key comes in as pending, in the place of the pending key
of its algorithm, and signs when its turn comes. With --active it signs at once.

With --reference the file holds a public key whose private half is with the
external signer (TOLLGATE_KEY_SIGNER_URL), which knows it by that name.

` + auditedHelp,
		Example: `  tollgate keys import old-signing-key.pem --alg RS256
  tollgate keys import key.pem --passphrase-file /run/secrets/passphrase --active --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.importKey(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.alg, "alg", "", "algorithm of the key (default: what the file says, else by its type; RS256 for RSA)")
	f.StringVar(&o.kid, "kid", "", "id of the key (default: that of the JWK, else the RFC 7638 thumbprint)")
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "file with the passphrase of an encrypted key")
	f.StringVar(&o.reference, "reference", "", "name of the key at the external signer; the file is its public half")
	f.BoolVar(&o.active, "active", false, "let it sign at once; the key that signs now is retired")
	f.BoolVar(&o.yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) importKey(cmd *cobra.Command, file string, o importing) error {
	var alg keys.Algorithm
	if o.alg != "" {
		var err error
		if alg, err = keys.ParseAlgorithm(o.alg); err != nil || alg.Symmetric() {
			return exitWith(exitUsage, "--alg is none of ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA")
		}
	}
	data, err := c.keyData(file)
	if err != nil {
		return err
	}
	id, pair, alg, err := o.read(data, alg)
	if err != nil {
		return exitWith(exitUsage, "%s: %w", file, err)
	}
	if o.kid != "" {
		id = o.kid
	}
	if o.active {
		plan := fmt.Sprintf("The %s key will sign from now on and the one that signs now is retired.\nVerifiers that cached the key set refuse its tokens until they fetch it again.", alg)
		if err := c.confirm(o.yes, plan); err != nil {
			return err
		}
	}
	k, err := openKeys()
	if err != nil {
		return err
	}
	defer k.close()
	if pair.Reference != "" && k.External == nil {
		return exitWith(exitUsage, "--reference needs TOLLGATE_KEY_SIGNER_URL: who signs with the key")
	}
	as := ring.Pending
	if o.active {
		as = ring.Active
	}
	if id, err = idOf(id, pair, alg); err != nil {
		return &exitError{exitUsage, err}
	}
	var r ring.Ring
	var changes []ring.Change
	err = k.audited(cmd.Context(), c.err, actionKeyImport, "key", id, func() error {
		r, changes, err = ring.Import(cmd.Context(), k.Config, id, pair, alg, as)
		return ringStoreError(err)
	})
	if err != nil {
		return err
	}
	return c.showRing(keyRingOf(r, k.Settings, changes))
}

// idOf is the id that a key will have: its thumbprint, unless it is given one.
func idOf(id string, pair ring.Pair, alg keys.Algorithm) (string, error) {
	switch id {
	case ".", "..":
		return "", fmt.Errorf("the id %q could not be revoked by its path: choose another (--kid)", id)
	case "":
		pub, err := keys.NewKey(pair.Public, alg)
		if err != nil {
			return "", err
		}
		return pub.ID(), nil
	}
	return id, nil
}

// keyData reads the file, or standard input for "-".
func (c *cli) keyData(file string) ([]byte, error) {
	in := c.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, keyfile.MaxBytes+1))
	if err != nil {
		return nil, exitWith(exitUsage, "read the key: %w", err)
	}
	return data, nil
}

// read makes a pair of a file's content.
func (o importing) read(data []byte, alg keys.Algorithm) (string, ring.Pair, keys.Algorithm, error) {
	if o.reference != "" {
		pub, alg, err := keyfile.ReadPublic(data, alg)
		return "", ring.Pair{Public: pub, Reference: o.reference}, alg, err
	}
	var passphrase []byte
	if o.passphraseFile != "" {
		text, err := os.ReadFile(o.passphraseFile)
		if err != nil {
			return "", ring.Pair{}, "", err
		}
		passphrase = []byte(strings.TrimRight(string(text), "\r\n"))
	}
	p, err := keyfile.ReadPrivate(data, passphrase, alg)
	if errors.Is(err, keyfile.ErrPassphrase) && o.passphraseFile == "" {
		err = fmt.Errorf("%w: name a file with it (--passphrase-file)", err)
	}
	if err != nil {
		return "", ring.Pair{}, "", err
	}
	return p.ID, ring.Pair{Private: p.Signer, Public: p.Signer.Public()}, p.Algorithm, nil
}
