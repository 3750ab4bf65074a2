package users

import (
	"context"
	"errors"
	"fmt"
)

// Outcome is what became, or would become, of one user of an import.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created"
	Updated Outcome = "updated"
	Skipped Outcome = "skipped" // there already
	Refused Outcome = "refused"
)

// Import says how users are brought in.
type Import struct {
	// Update changes users who are there already: e-mail address, attributes, flags.
	// Never their password, which may have been changed here since.
	Update bool
	// DryRun only tells what would become of each.
	DryRun bool
}

// Imported is the outcome for one user.
type Imported struct {
	Outcome Outcome
	User    User // as it is after Created and Updated, unless it was a dry run
	Err     error
	// EndSessions says that the user was active before and is not now: sessions that
	// stand are the caller's to end.
	EndSessions bool
}

// EmailsUnique reports whether users log in by e-mail, so that no two may share one.
func (r *Redis) EmailsUnique() bool { return r.settings.LoginByEmail }

// Bring creates the user, or does with one of that name what the import says. A
// user of that name with another id is refused, not changed: it is somebody else.
// ErrUnavailable and ErrBusy are the only errors; what is wrong with the user itself
// is in the outcome.
func (r *Redis) Bring(ctx context.Context, n New, how Import) (Imported, error) {
	refused := func(err error) (Imported, error) {
		if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBusy) {
			return Imported{}, err
		}
		return Imported{Outcome: Refused, Err: err}, nil
	}
	if err := errors.Join(n.Validate(), n.reachable()); err != nil {
		return refused(err)
	}
	there, err := r.byName(ctx, n.Username)
	switch {
	case err == nil && n.ID != "" && there.user.ID != n.ID:
		return refused(fmt.Errorf("%w: username %q, with the id %q", ErrExists, n.Username, there.user.ID))
	case err == nil && !how.Update:
		return Imported{Outcome: Skipped}, nil
	case err == nil:
		return r.bringAgain(ctx, there.user, n, how, refused)
	case !errors.Is(err, ErrNotFound):
		return refused(err)
	}
	if how.DryRun {
		if err := r.free(ctx, n); err != nil {
			return refused(err)
		}
		return Imported{Outcome: Created}, nil
	}
	u, err := r.Add(ctx, n)
	if err != nil {
		return refused(err)
	}
	return Imported{Outcome: Created, User: u}, nil
}

func (r *Redis) bringAgain(ctx context.Context, there User, n New, how Import, refused func(error) (Imported, error)) (Imported, error) {
	attributes := n.Attributes
	if attributes == nil {
		attributes = map[string]any{}
	}
	out := Imported{Outcome: Updated, EndSessions: there.IsActive && !n.IsActive}
	if how.DryRun {
		if fold(n.Email) != fold(there.Email) {
			if err := r.freeEmail(ctx, n.Email); err != nil {
				return refused(err)
			}
		}
		return out, nil
	}
	u, err := r.Update(ctx, n.Username, Patch{
		Email: &n.Email, Attributes: attributes, IsActive: &n.IsActive, IsStaff: &n.IsStaff, IsSuperuser: &n.IsSuperuser,
	})
	if err != nil {
		return refused(err)
	}
	out.User = u
	return out, nil
}

// free reports what would be in the way of a new user whose name is free.
func (r *Redis) free(ctx context.Context, n New) error {
	if n.ID != "" {
		switch _, err := r.byID(ctx, n.ID); {
		case err == nil:
			return fmt.Errorf("%w: id %q", ErrExists, n.ID)
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return r.freeEmail(ctx, n.Email)
}

func (r *Redis) freeEmail(ctx context.Context, email string) error {
	if email == "" || !r.settings.LoginByEmail {
		return nil
	}
	switch _, err := r.byEmail(ctx, email); {
	case err == nil:
		return fmt.Errorf("%w: email", ErrExists)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return nil
}
