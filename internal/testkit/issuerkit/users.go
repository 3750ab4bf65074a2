package issuerkit

import (
	"context"

	"tollgate/issuer/users"
)

// Disable keeps a user from logging in, as an administrator does but for the sessions:
// those that stand go on.
func (k *Kit) Disable(ctx context.Context, name string) error {
	active := false
	_, err := k.Users.Update(ctx, name, users.Patch{IsActive: &active})
	return err
}

// Enable lets the user log in again.
func (k *Kit) Enable(ctx context.Context, name string) error {
	active := true
	_, err := k.Users.Update(ctx, name, users.Patch{IsActive: &active})
	return err
}

// SetPassword gives the user another password; sessions that stand go on.
func (k *Kit) SetPassword(ctx context.Context, name, password string) error {
	_, err := k.Users.Update(ctx, name, users.Patch{Password: &password})
	return err
}
