package revocation

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// leastPack is the size below which a journal is not worth being written anew.
const leastPack = 64 << 10

// journalFile is the file of a journal. Everything up to good is on the disk.
type journalFile struct {
	path string

	mu     sync.Mutex // guards what follows, while something is being written
	f      *os.File
	salt   []byte
	good   int64
	torn   bool  // something failed behind good
	moved  bool  // the file has the name, but the directory may not know it yet
	packAt int64 // size at which to look whether half of it is still of use
}

// append writes frames and returns when the disk has them. What has failed once is
// cut off before the next attempt: an fsync after one that has failed proves nothing
// about what was written before.
func (j *journalFile) append(frames []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.mend(); err != nil {
		return err
	}
	seal(frames, j.salt)
	if _, err := j.f.WriteAt(frames, j.good); err != nil {
		j.torn = true
		return err
	}
	if err := j.f.Sync(); err != nil {
		j.torn = true
		return err
	}
	j.good += int64(len(frames))
	return nil
}

// mend brings the file into the state that its fields tell of. The caller holds mu.
func (j *journalFile) mend() error {
	if j.moved {
		if err := syncDir(j.path); err != nil {
			return err
		}
		j.moved = false
	}
	if j.torn {
		if err := j.f.Truncate(j.good); err != nil {
			return err
		}
		if err := j.f.Sync(); err != nil {
			return err
		}
		j.torn = false
	}
	return nil
}

// due reports whether the file has grown enough to be worth a look at how much of it is
// still of use.
func (j *journalFile) due() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.good >= j.packAt
}

func (j *journalFile) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return unlockAndClose(j.f)
}

// unlockAndClose closes a locked file. To close it alone would do, were there not the
// moment between a fork of this process and its exec, in which the child holds it too.
func unlockAndClose(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// lockJournal opens the file, or makes it, for this process alone.
func lockJournal(path string, log *slog.Logger) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		mine, err := lockFile(f, path, log)
		if err == nil && mine {
			return f, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// lockFile locks f and sees to it that it is what it should be. False: whoever held
// it before has put another file in its place meanwhile.
func lockFile(f *os.File, path string, log *slog.Logger) (mine bool, err error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, fmt.Errorf("%s is in use by another process", path)
		}
		return false, fmt.Errorf("lock %s: %w", path, err)
	}
	is, err := f.Stat()
	if err != nil {
		return false, err
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(is, named) {
		return false, nil
	}
	if !is.Mode().IsRegular() {
		return false, fmt.Errorf("%s is not a plain file", path)
	}
	if is.Mode().Perm()&0o077 != 0 {
		log.Warn("the journal of revocations could be read by others; that is ended", "path", path)
		return true, f.Chmod(0o600)
	}
	return true, nil
}

// begin writes the head into an empty file, or into one that died with less than it.
func (j *journalFile) begin() error {
	had := make([]byte, journalHead)
	n, err := j.f.ReadAt(had, 0)
	if err == nil {
		return nil // newFrameReader looks at it
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	magic := min(n, len(journalMagic))
	if !bytes.Equal(had[:magic], []byte(journalMagic[:magic])) {
		return errNoJournal
	}
	if err := writeHead(j.f); err != nil {
		return err
	}
	return j.f.Sync()
}

// writeHead writes a head with a salt of its own at the beginning of a file.
func writeHead(f *os.File) error {
	head := append([]byte(journalMagic), make([]byte, journalSalt)...)
	_, _ = rand.Read(head[len(journalMagic):]) // never fails
	_, err := f.WriteAt(head, 0)
	return err
}

// syncDir makes the name of a file last.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
