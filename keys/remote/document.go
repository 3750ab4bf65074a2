package remote

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"tollgate/keys"
)

// parse reads a document into a set that is not empty. dropped says which members
// were left out and why.
type parse func(data []byte) (set *keys.Set, dropped []error, err error)

// jwks returns the parser of JWK Sets for keys of these algorithms.
func jwks(algorithms []keys.Algorithm) parse {
	return guarded(func(data []byte) (*keys.Set, []error, error) {
		set, dropped := keys.ParseJWKS(data, algorithms)
		if set.Len() == 0 {
			if len(dropped) == 0 {
				return nil, nil, errors.New("the JWK Set is empty")
			}
			return nil, nil, fmt.Errorf("no usable key: %w", brief(dropped))
		}
		return set, dropped, nil
	})
}

// guarded keeps a defect of the parser from ending the process: the document is a
// stranger's, and it would come again after each restart.
func guarded(p parse) parse {
	return func(data []byte) (set *keys.Set, dropped []error, err error) {
		defer func() {
			if recover() != nil {
				set, dropped, err = nil, nil, errors.New("the document made its parser panic")
			}
		}()
		return p(data)
	}
}

// publicKey returns the parser of one public key or certificate in PEM. It is
// bound to the first of the algorithms that fits it; without any, to the one of
// its curve, or RS256.
func publicKey(algorithms []keys.Algorithm) parse {
	if len(algorithms) == 0 {
		algorithms = keys.Algorithms()
	}
	return guarded(func(data []byte) (*keys.Set, []error, error) {
		pub, err := readPEM(data)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range algorithms {
			k, err := keys.NewKey(pub, a)
			if errors.Is(err, keys.ErrKeyMismatch) {
				continue
			}
			if err != nil {
				return nil, nil, err
			}
			set, err := keys.NewSet(k)
			return set, nil, err
		}
		return nil, nil, fmt.Errorf("none of the algorithms %v fits a %T", algorithms, pub)
	})
}

func readPEM(data []byte) (any, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("has no PEM block")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("has more than one PEM block, or text behind it")
	}
	var pub any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		pub, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		pub, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		// The operator trusts this key by naming the file. Its dates and its
		// issuer say nothing about that.
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			pub = c.PublicKey
		}
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("is a private key: only the issuer may have that; give the public half")
	default:
		return nil, errors.New("is neither a public key nor a certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", strings.ToLower(block.Type), err)
	}
	return pub, nil
}

// secret reads an HS256 secret: the bytes of the file, but for one line end that
// an editor or echo put there.
func secret(data []byte) (*keys.Set, []error, error) {
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	k, err := keys.NewKeyWithID(secretID, data, keys.HS256)
	if err != nil {
		return nil, nil, err
	}
	set, err := keys.NewSet(k)
	return set, nil, err
}

// readFile reads a file of at most maxDocument bytes. A pipe or a device would
// keep the reader for ever. The errors leave the path to the caller.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a file")
	}
	if err != nil {
		return nil, bare(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := readAll(f)
	return data, bare(err)
}

func bare(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("the document is larger than %d bytes", maxDocument)
	}
	return data, nil
}
