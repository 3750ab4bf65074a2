package revocation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// recover reads the file that was opened and cuts off what is torn.
func (j *Journal) recover() error {
	f := &j.file
	if err := f.begin(); err != nil {
		return err
	}
	size, err := f.f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	x, err := indexJournal(io.NewSectionReader(f.f, 0, size))
	if err != nil {
		return err
	}
	if f.salt, err = saltOf(f.f); err != nil {
		return err
	}
	if f.good = x.good; f.good < size {
		j.log.Warn("the journal of revocations ends in the middle of a record; the torn end is cut off", "path", f.path, "bytes", size-f.good)
		f.torn = true
	}
	if x.lost > 0 {
		j.log.Error("the journal of revocations is damaged: some records cannot be read", "path", f.path, "bytes", x.lost)
		j.lost = x.lost
	}
	f.moved = true // whoever gave the file its name may have died before that was sure to last
	if err := f.mend(); err != nil {
		return err
	}
	j.marked, j.written = x.position, x.position
	f.packAt = max(leastPack, 2*x.live)
	if f.good >= f.packAt {
		_ = j.pack() // it has logged why
	}
	return nil
}

func saltOf(f io.ReaderAt) ([]byte, error) {
	salt := make([]byte, journalSalt)
	_, err := f.ReadAt(salt, int64(len(journalMagic)))
	return salt, err
}

// Records calls yield with what is kept of each digest, until it returns false; among
// them may be what is over since less than ten minutes. What is appended meanwhile may
// or may not be among them.
func (j *Journal) Records(yield func(Kept) bool) error {
	j.file.mu.Lock()
	f, err := os.Open(j.file.path) // of its own: a compaction closes the other
	good := j.file.good
	j.file.mu.Unlock()
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	defer func() { _ = f.Close() }()
	x, err := indexJournal(io.NewSectionReader(f, 0, good))
	if err == nil {
		err = x.each(f, yield)
	}
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	return nil
}

// Compact writes the file anew when less than half of it is of use. That happens by
// itself, too; appending goes on meanwhile.
func (j *Journal) Compact() error {
	j.mu.Lock()
	if j.closed || j.packing {
		j.mu.Unlock()
		return nil
	}
	j.packing = true
	j.work.Add(1)
	j.mu.Unlock()
	defer j.work.Done()
	return j.pack()
}

// pack does what Compact says. Only one runs at a time, so that the file it reads stays
// open. When it fails the old file stays, and the next attempt comes when that has
// grown by half.
func (j *Journal) pack() error {
	f := &j.file
	defer func() {
		j.mu.Lock()
		j.packing = false
		j.mu.Unlock()
	}()
	f.mu.Lock()
	old, end := f.f, f.good
	f.mu.Unlock()
	x, err := indexJournal(io.NewSectionReader(old, 0, end))
	if err == nil && x.good != end {
		err = errors.New("its end cannot be read any more")
	}
	if err == nil {
		if x.lost > j.lost {
			j.spoil(x.lost)
		}
		j.lost = x.lost
		if worth := end >= leastPack && x.live < end/2; !worth {
			f.mu.Lock()
			f.packAt = max(leastPack, 2*x.live, end+end/4)
			f.mu.Unlock()
			return nil
		}
		err = f.replace(old, x)
	}
	if err != nil {
		j.log.Warn("the journal of revocations cannot be compacted and grows on", "path", f.path, "error", err)
		f.mu.Lock()
		f.packAt = f.good + f.good/2
		f.mu.Unlock()
		return fmt.Errorf("compact journal: %w", err)
	}
	j.lost = 0
	return nil
}

// spoil takes back how far the feed was followed, for the rest of this process's life:
// records up to there have been damaged since they were written. A restart then reads the
// feed from its beginning.
func (j *Journal) spoil(bytes int64) {
	j.log.Error("the journal of revocations was damaged while it was in use: some records cannot be read", "path", j.file.path, "bytes", bytes)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.marked, j.spoilt = Position{}, true
	if !j.flying && !j.closed {
		j.join(nil)
	}
}

// replace writes what x has of use, and what was appended since, into a new file and
// puts that in the old one's place.
func (j *journalFile) replace(old *os.File, x *journalIndex) (err error) {
	name := j.path + ".new"
	fresh, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = fresh.Close()
			_ = os.Remove(name)
		}
	}()
	if err := syscall.Flock(int(fresh.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	salt, size, err := x.writeTo(fresh, old)
	if err != nil {
		return err
	}
	// The bulk first, while appending goes on.
	if err := fresh.Sync(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	tail := make([]byte, j.good-x.good)
	if _, err := old.ReadAt(tail, x.good); err != nil {
		return err
	}
	seal(tail, salt)
	if _, err := fresh.WriteAt(tail, size); err != nil {
		return err
	}
	if err := fresh.Sync(); err != nil {
		return err
	}
	if err := os.Rename(name, j.path); err != nil {
		return err
	}
	// From here on the new file is the one, whatever happens: the old one has no name.
	_ = old.Close()
	j.f, j.salt, j.good, j.torn, j.moved = fresh, salt, size+int64(len(tail)), false, true
	j.packAt = max(leastPack, 2*j.good)
	return nil // the next append makes sure that the name lasts
}

// writeTo writes the records of use, and then the position, into a new file.
func (x *journalIndex) writeTo(fresh *os.File, old io.ReaderAt) (salt []byte, size int64, err error) {
	if err := writeHead(fresh); err != nil {
		return nil, 0, err
	}
	if salt, err = saltOf(fresh); err != nil {
		return nil, 0, err
	}
	w := bufio.NewWriterSize(io.NewOffsetWriter(fresh, int64(journalHead)), 256<<10)
	size = int64(journalHead)
	var frame []byte
	put := func() bool {
		seal(frame, salt)
		_, err = w.Write(frame)
		size += int64(len(frame))
		return err == nil
	}
	readErr := x.each(old, func(k Kept) bool {
		if frame, err = appendKept(frame[:0], &k); err != nil {
			return false
		}
		return put()
	})
	if err == nil {
		err = readErr
	}
	if err == nil && x.position != (Position{}) {
		frame = appendPosition(frame[:0], x.position)
		put()
	}
	if err == nil {
		err = w.Flush()
	}
	return salt, size, err
}
