package users

import (
	"context"
	"errors"
	"fmt"
)

// Directory is what the issuer needs from whatever knows the users.
type Directory interface {
	// Authenticate returns the active user with this login and password.
	// ErrCredentials is the answer to an unknown name, a wrong or unusable password
	// and an inactive user alike; ErrBusy and ErrUnavailable say that no answer
	// could be had.
	Authenticate(ctx context.Context, login, password string) (User, error)
	// ByID returns the user with this id, active or not, or ErrNotFound.
	ByID(ctx context.Context, id string) (User, error)
}

var (
	// ErrCredentials answers a log-in that is refused. It is the same for an unknown
	// name, a wrong password, an unusable password and an inactive user.
	ErrCredentials = errors.New("users: no active account with these credentials")
	// ErrMustChange answers the right password of a user who has to change it before
	// logging in. It is an ErrCredentials to whoever does not ask.
	ErrMustChange = fmt.Errorf("%w: the password has to be changed first", ErrCredentials)
	// ErrNotFound answers for a user that is not there.
	ErrNotFound = errors.New("users: no such user")
	// ErrExists answers a creation or change whose name, id or e-mail address is taken.
	ErrExists = errors.New("users: already exists")
	// ErrInvalid answers a user or password that cannot be stored. The text after it
	// says why and may be shown to whoever asked.
	ErrInvalid = errors.New("users: invalid")
	// ErrBusy says that every slot for hashing stayed taken: try again (503).
	ErrBusy = errors.New("users: all hashing slots are taken")
	// ErrUnavailable says that the directory could not be asked. A write that ends with
	// it may have happened.
	ErrUnavailable = errors.New("users: store unavailable")
	// ErrUnsettled says that a change may have been written. It is ErrUnavailable, too.
	ErrUnsettled = fmt.Errorf("%w: the change may have been written", ErrUnavailable)
)
