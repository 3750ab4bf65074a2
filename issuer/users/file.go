package users

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxFileBytes = 64 << 20 // some hundred thousand users
	filePoll     = 2 * time.Second
)

// FileConfig is how a file of users is read. The zero value is good.
type FileConfig struct {
	// LoginByEmail says that users log in with their e-mail address.
	LoginByEmail bool
	// Poll is how often the file is looked at. Zero: 2 s.
	Poll time.Duration
	// Ended is called for each user whose sessions must not outlive a change of the
	// file (another password, no longer active, no longer there), after the change is
	// in force. When it fails it is called again at the next look. Nil: nobody is told.
	Ended func(ctx context.Context, u User) error
	// Log gets a line for each change, and for a file that cannot be used; never a
	// hash. Nil: nothing is logged.
	Log *slog.Logger
}

// File is a Directory in a file, which is read again when its content changes. A
// file that cannot be used leaves the users of the last good one in force. It is
// safe for concurrent use.
type File struct {
	path   string
	hasher *Hasher
	config FileConfig
	table  atomic.Pointer[table] // replaced as a whole, never changed

	mu     sync.Mutex      // guards what follows, and one reading at a time
	failed bool            // the last look did: it is logged once
	owed   map[string]User // whose sessions are still to be ended, by id
}

var _ Directory = (*File)(nil)

// OpenFile reads the users of a file, in YAML or as htpasswd writes it: docs/users.md
// has both forms. Its error names every fault by line or user and repeats no hash.
func OpenFile(path string, h *Hasher, c FileConfig) (*File, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Poll <= 0 {
		c.Poll = filePoll
	}
	f := &File{path: path, hasher: h, config: c, owed: map[string]User{}}
	data, err := readUsersFile(path)
	if err != nil {
		return nil, err
	}
	t, err := readTable(data, c.LoginByEmail)
	if err != nil {
		return nil, err
	}
	f.table.Store(t)
	return f, nil
}

// ExposedFile reports whether everybody on this machine can read the file: the
// hashes in it can then be guessed at without limit.
func ExposedFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

// Authenticate returns the active user with this name (or e-mail address) and
// password.
func (f *File) Authenticate(ctx context.Context, login, password string) (User, error) {
	t := f.table.Load()
	if f.config.LoginByEmail {
		login = fold(login)
	}
	rec := t.byLogin[login] // the zero record for nobody
	hash := rec.password
	if len(password) > maxPasswordBytes {
		hash, password = unusable, ""
	}
	ok, _, err := f.hasher.Verify(ctx, hash, password)
	switch {
	case err != nil:
		return User{}, err
	case ok && rec.user.IsActive:
		return rec.user, nil
	}
	if err := f.hasher.level(ctx, t.costs, hash, password); err != nil {
		return User{}, err
	}
	return User{}, ErrCredentials
}

// Knows reports whether somebody has this login, active or not.
func (f *File) Knows(_ context.Context, login string) bool {
	if f.config.LoginByEmail {
		login = fold(login)
	}
	_, found := f.table.Load().byLogin[login]
	return found
}

// ByID returns the user with this id, active or not, or ErrNotFound.
func (f *File) ByID(_ context.Context, id string) (User, error) {
	rec, found := f.table.Load().byID[id]
	if !found {
		return User{}, ErrNotFound
	}
	return rec.user, nil
}

// Run looks at the file until ctx ends. It compares contents: notifications miss
// files that are swapped by symbolic link, as Kubernetes does it.
func (f *File) Run(ctx context.Context) error {
	tick := time.NewTicker(f.config.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = f.Reload(ctx) // it is logged
		}
	}
}

// Reload looks at the file now.
func (f *File) Reload(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.read()
	if err != nil && !f.failed {
		f.config.Log.Error("the users file cannot be used: the users of before stay in force", "error", err)
	}
	f.failed = err != nil
	for id, u := range f.owed {
		if ended := f.config.Ended(ctx, u); ended != nil {
			f.config.Log.Error("a user's sessions could not be ended after a change of the users file: tried again", "sub", id, "error", ended)
			err = errors.Join(err, ended)
			continue
		}
		delete(f.owed, id)
	}
	return err
}

func (f *File) read() error {
	data, err := readUsersFile(f.path)
	if err != nil {
		return err
	}
	old := f.table.Load()
	if sha256.Sum256(data) == old.digest {
		return nil
	}
	next, err := readTable(data, f.config.LoginByEmail)
	if err != nil {
		return err
	}
	f.table.Store(next) // first: a log-in after the cut-off must not find the old password
	ended := 0
	for id, rec := range old.byID {
		if now, there := next.byID[id]; there && now.password == rec.password && (now.user.IsActive || !rec.user.IsActive) {
			continue
		}
		ended++
		if f.config.Ended != nil {
			f.owed[id] = rec.user
		}
	}
	f.config.Log.Info("the users file was read again", "users", len(next.byID), "sessions_ended_of", ended)
	return nil
}

func readUsersFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("users file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("%s is longer than %d MiB", path, maxFileBytes>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("users file: %w", err)
	}
	return data, nil
}
