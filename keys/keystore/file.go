package keystore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tollgate/keys/ring"
)

// The files in the directory of a File store.
const (
	ringFile = "ring.json"  // the envelope
	lockFile = "ring.lock"  // empty; whoever holds its flock writes
	tempGlob = "ring-*.tmp" // a ring on its way to ringFile
)

// FileOptions say whose ring a directory holds and how it is sealed. The zero
// value keeps any one issuer's ring in the clear.
type FileOptions struct {
	// Issuer is whose ring it is. Empty: whoever's it is.
	Issuer string
	// Sealer seals and opens. Nil: the ring is kept in the clear.
	Sealer *Sealer
	// AllowUnsealed lets a ring that is not sealed be read although there is a
	// Sealer: the next write seals it.
	AllowUnsealed bool
}

// File keeps a ring in a directory of a local file system, readable by its owner
// only. Processes of one machine may share it: a write holds a lock and is whole
// or does not happen. It is safe for concurrent use.
type File struct {
	dir   string
	vault vault
}

var _ ring.Store = (*File)(nil)

// NewFile uses a directory, which the first write creates.
func NewFile(dir string, o FileOptions) *File {
	return &File{dir: dir, vault: vault{issuer: o.Issuer, sealer: o.Sealer, allowUnsealed: o.AllowUnsealed || o.Sealer == nil}}
}

// Load returns the ring, ring.ErrEmpty, or ErrSealed and ErrUnsealed. It takes
// no lock: a file is replaced whole.
func (f *File) Load(ctx context.Context) (ring.Ring, error) {
	if err := ctx.Err(); err != nil {
		return ring.Ring{}, err
	}
	path := filepath.Join(f.dir, ringFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ring.Ring{}, ring.ErrEmpty
	}
	if err != nil {
		return ring.Ring{}, err
	}
	r, err := f.vault.unpack(data)
	if err != nil {
		return ring.Ring{}, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// Swap writes to in place of version from, durably; ring.ErrConflict when the
// directory has another version. It waits for another writer as long as ctx
// allows.
func (f *File) Swap(ctx context.Context, from uint64, to ring.Ring) error {
	data, err := f.vault.pack(from, to)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.dir, err)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	unlock, err := lock(ctx, filepath.Join(f.dir, lockFile))
	if err != nil {
		return err
	}
	defer unlock()
	stored, err := f.Load(ctx)
	if err != nil && !errors.Is(err, ring.ErrEmpty) {
		return err
	}
	if stored.Version != from {
		return ring.ErrConflict
	}
	return f.replace(data)
}

// replace puts a new ring file in place of the old one. The lock is held.
func (f *File) replace(data []byte) (err error) {
	// What a crash left lying around has private keys in it.
	left, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if is, _ := filepath.Match(tempGlob, e.Name()); !is {
			continue
		}
		if err := os.Remove(filepath.Join(f.dir, e.Name())); err != nil {
			return err
		}
	}
	temp, err := os.CreateTemp(f.dir, tempGlob) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(data); err != nil {
		return err
	}
	// In this order: a name must never point to bytes that are not on the disk.
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), filepath.Join(f.dir, ringFile)); err != nil {
		return err
	}
	return syncDir(f.dir)
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
