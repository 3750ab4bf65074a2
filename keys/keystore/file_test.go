package keystore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

func TestFileIsTheOwnersOnly(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "keys")
	s := keystore.NewFile(dir, keystore.FileOptions{})
	mustSwap(t, s, 0, mustRing(t, settings))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if strings.Join(names, " ") != "ring.json ring.lock" {
		t.Errorf("files %v", names)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
}

func TestFileCleansUpAfterACrash(t *testing.T) {
	dir := t.TempDir()
	s := keystore.NewFile(dir, keystore.FileOptions{})
	r := mustRing(t, settings)
	mustSwap(t, s, 0, r)
	left := filepath.Join(dir, "ring-123.tmp")
	if err := os.WriteFile(left, []byte("half a ring"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, mustLoad(t, s), r)
	r.Version = 2
	mustSwap(t, s, 1, r)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what the crash left is still there: %v", err)
	}
}

func TestFileHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	s := keystore.NewFile(dir, keystore.FileOptions{})
	r := mustRing(t, settings)
	mustSwap(t, s, 0, r)
	other, err := os.Open(filepath.Join(dir, "ring.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	r.Version = 2
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := s.Swap(ctx, 1, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another process writes: %v", err)
	}
	if got := mustLoad(t, s); got.Version != 1 { // reading does not wait
		t.Errorf("version %d", got.Version)
	}
	other.Close() // as a process that dies does
	mustSwap(t, s, 1, r)
}

func TestFileRefusesWhatItDidNotWrite(t *testing.T) {
	sealer := mustSealer(t, 1)
	for name, c := range map[string]struct {
		content string // "" keeps the ring
		as      keystore.FileOptions
		want    error
	}{
		"empty file":       {" ", keystore.FileOptions{}, nil},
		"cut short":        {`{"format":1,"issuer":"` + issuer + `","version":1,"keys":[{`, keystore.FileOptions{}, nil},
		"other JSON":       {`{"keys":[]}`, keystore.FileOptions{}, nil},
		"no keys":          {`{"format":1,"issuer":"` + issuer + `","version":1}`, keystore.FileOptions{}, nil},
		"version 0":        {`{"format":1,"issuer":"` + issuer + `","version":0,"keys":[]}`, keystore.FileOptions{}, nil},
		"bad public key":   {`{"format":1,"issuer":"` + issuer + `","version":1,"keys":[{"id":"a","public":"AAAA"}]}`, keystore.FileOptions{}, nil},
		"another issuer":   {"", keystore.FileOptions{Issuer: "other"}, nil},
		"unsealed":         {"", keystore.FileOptions{Sealer: sealer}, keystore.ErrUnsealed},
		"sealed otherwise": {`{"format":1,"issuer":"` + issuer + `","version":1,"sealed":"AAAA"}`, keystore.FileOptions{Sealer: sealer}, keystore.ErrSealed},
		"sealed, no key":   {`{"format":1,"issuer":"` + issuer + `","version":1,"sealed":"AAAA"}`, keystore.FileOptions{}, keystore.ErrSealed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mustSwap(t, keystore.NewFile(dir, keystore.FileOptions{}), 0, mustRing(t, settings))
			if c.content != "" {
				if err := os.WriteFile(filepath.Join(dir, "ring.json"), []byte(c.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := keystore.NewFile(dir, c.as)
			r, err := s.Load(t.Context())
			if err == nil || errors.Is(err, ring.ErrEmpty) || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("loaded version %d: %v, want %v", r.Version, err, c.want)
			}
			// What cannot be read is not overwritten either.
			if err := s.Swap(t.Context(), 0, mustRing(t, settings)); err == nil {
				t.Error("it was overwritten")
			}
		})
	}
}

func TestFileInAPlaceThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := keystore.NewFile(file, keystore.FileOptions{})
	if err := s.Swap(t.Context(), 0, mustRing(t, settings)); err == nil {
		t.Error("a ring was written into a file's place")
	}
	if _, err := s.Load(t.Context()); err == nil || errors.Is(err, ring.ErrEmpty) {
		t.Errorf("load: %v", err)
	}
}

func TestNewSealerWantsGoodKeys(t *testing.T) {
	for name, ks := range map[string][][]byte{
		"none": nil, "empty": {nil}, "16 bytes": {make([]byte, 16)}, "second short": {make([]byte, 32), make([]byte, 31)},
	} {
		if _, err := keystore.NewSealer(ks); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
