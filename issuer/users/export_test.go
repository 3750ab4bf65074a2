package users

import "context"

// Disable keeps the user from logging in; ErrNotFound when there is none. Sessions
// that stand are the caller's to end.
func (r *Redis) Disable(ctx context.Context, name string) error {
	active := false
	_, err := r.Update(ctx, name, Patch{IsActive: &active})
	return err
}

// Enable lets the user log in again; ErrNotFound when there is none.
func (r *Redis) Enable(ctx context.Context, name string) error {
	active := true
	_, err := r.Update(ctx, name, Patch{IsActive: &active})
	return err
}

// SetPassword gives the user another password and dates the change; ErrNotFound,
// ErrInvalid, ErrBusy. Sessions that stand are the caller's to end.
func (r *Redis) SetPassword(ctx context.Context, name, password string) error {
	_, err := r.Update(ctx, name, Patch{Password: &password})
	return err
}

// Computed returns how many hashes this hasher has computed: that an unknown name costs
// as many as a known one is held by it.
func (h *Hasher) Computed() uint64 { return h.computed.Load() }
