package server

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Certificate is a certificate with its private key, read from two files and, while
// Watch runs, read again when they change. Any goroutine may use it.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[pair] // never nil; what is published is not changed

	// Of Watch alone:
	doubt    string    // what was wrong at the last look
	told     string    // what was wrong when it was last logged
	reminded time.Time // when the coming expiry was last logged
}

// pair is a certificate as it was read.
type pair struct {
	tls    tls.Certificate // with its Leaf
	digest [sha256.Size]byte
	loaded time.Time
}

// CertificateInfo is what is worth to be shown of a certificate.
type CertificateInfo struct {
	NotBefore, NotAfter time.Time
	// Names are those that it is valid for.
	Names []string
	// Loaded is when it was read: the start, or the last reload.
	Loaded time.Time
}

// LoadCertificate reads a certificate, with its chain behind it, and its private
// key, both PEM. Its error names the file at fault and holds nothing of its content.
// The log takes reloads and the coming expiry; nil discards them.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	p, err := c.load()
	if err != nil {
		return nil, err
	}
	c.current.Store(p)
	return c, nil
}

// Info describes the certificate in use.
func (c *Certificate) Info() CertificateInfo {
	p := c.current.Load()
	leaf := p.tls.Leaf
	info := CertificateInfo{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Names: leaf.DNSNames, Loaded: p.loaded}
	for _, ip := range leaf.IPAddresses {
		info.Names = append(info.Names[:len(info.Names):len(info.Names)], ip.String())
	}
	return info
}

func (c *Certificate) get() *tls.Certificate { return &c.current.Load().tls }

// load reads both files; the pair in use is returned as it is when they have not
// changed.
func (c *Certificate) load() (*pair, error) {
	certPEM, err := readPEM(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	keyPEM, err := readPEM(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS key: %w", err)
	}
	digest := digestOf(certPEM, keyPEM)
	if p := c.current.Load(); p != nil && p.digest == digest {
		return p, nil
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, c.diagnose(certPEM, keyPEM)
	}
	return &pair{tls: cert, digest: digest, loaded: time.Now()}, nil
}

// maxPEM bounds both files: a path to something else is a mistake.
const maxPEM = 1 << 20

// readPEM reads a file; its errors name it.
func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = &os.PathError{Op: "read", Path: name, Err: errors.New("longer than 1 MiB")}
	}
	return data, err
}

func digestOf(certPEM, keyPEM []byte) [sha256.Size]byte {
	cert, key := sha256.Sum256(certPEM), sha256.Sum256(keyPEM)
	return sha256.Sum256(append(cert[:], key[:]...))
}
