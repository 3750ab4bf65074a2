package admin

import (
	"context"
	"net/http"

	"tollgate/internal/problem"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// What an operator may not do with a row that operators may call. Each would be a way
// to more than an operator has: to be somebody who may more, to become one, or to
// bring back what an administrator has ended.

func beyond(detail string) error {
	return &problem.Details{Status: http.StatusForbidden, Code: "role", Detail: detail + " That takes the role admin, which this token has not."}
}

func isAdmin(ctx context.Context) bool { return whoOf(ctx).Role.may(RoleAdmin) }

// privileged is a user as whom an operator must not be able to log in: staff, a
// superuser, and whoever may act in the name of others.
func (a *Admin) privileged(u users.User) bool {
	return u.IsStaff || u.IsSuperuser || a.Tokens == nil || a.Tokens.MayImpersonate(u)
}

// attributesAllowed refuses attributes that stand in tokens: a scope or a tenant of
// the operator's own choice.
func (a *Admin) attributesAllowed(attributes map[string]any) error {
	for name := range attributes {
		if a.Tokens == nil || a.Tokens.Carries(name) {
			return beyond("An attribute that stands in the user's tokens is to be set.")
		}
	}
	return nil
}

func (a *Admin) emailAllowed(email string) error {
	if email != "" && (a.Tokens == nil || a.Tokens.Carries("email")) {
		return beyond("The e-mail address stands in the user's tokens here.")
	}
	return nil
}

// mayAdd limits a new user. The id is the subject of tokens: a client's, or that of a
// user who was removed, must not come back at an operator's wish.
func (a *Admin) mayAdd(ctx context.Context, b *userBody) error {
	switch {
	case isAdmin(ctx):
		return nil
	case b.IsStaff || b.IsSuperuser:
		return beyond("The user is to be staff or a superuser.")
	case b.ID != "":
		return beyond("The id of a user is to be chosen.")
	}
	if err := a.emailAllowed(b.Email); err != nil {
		return err
	}
	return a.attributesAllowed(b.Attributes)
}

// mayChange limits a change. Of a privileged user an operator may only end what is
// going on: disable him and end his sessions.
func (a *Admin) mayChange(ctx context.Context, name string, b *userChange, attributes map[string]any) error {
	if isAdmin(ctx) {
		return nil
	}
	if b.IsStaff != nil || b.IsSuperuser != nil {
		return beyond("Who is staff or a superuser is to be changed.")
	}
	u, err := a.Users.ByName(ctx, name)
	if err != nil {
		return err
	}
	if a.privileged(u) && (b.Password != nil || b.Email != nil || b.Attributes != nil || b.MustChange != nil || b.IsActive != nil && *b.IsActive) {
		return beyond("The user is staff, a superuser, or may impersonate.")
	}
	if b.Email != nil && *b.Email != u.Email {
		if a.Tokens == nil || a.Tokens.Carries("email") {
			return beyond("The e-mail address stands in the user's tokens here.")
		}
	}
	if attributes == nil {
		return nil
	}
	// They are replaced as a whole: one that is left out is taken away.
	if err := a.attributesAllowed(attributes); err != nil {
		return err
	}
	return a.attributesAllowed(u.Attributes)
}

func (a *Admin) mayRemove(ctx context.Context, name string) error {
	if isAdmin(ctx) {
		return nil
	}
	u, err := a.Users.ByName(ctx, name)
	if err == nil && a.privileged(u) {
		return beyond("The user is staff, a superuser, or may impersonate.")
	}
	return err
}

// mayRevoke leaves the keys to who may turn the ring.
func mayRevoke(ctx context.Context, kind string) error {
	if kind == string(revocation.KindKey) && !isAdmin(ctx) {
		return beyond("A key is to be revoked.")
	}
	return nil
}

// mayUndo: an operator takes back what operators do, and no statement about a key. Of
// everything he takes back his own statement alone: another may be the end of all
// sessions after a loss, and to undo that is to accept the loss.
func (a *Admin) mayUndo(ctx context.Context, id string) error {
	if isAdmin(ctx) {
		return nil
	}
	r, err := a.Revocations.Get(ctx, id)
	switch {
	case err != nil:
		return err
	case r.Kind == revocation.KindKey:
		return beyond("The revocation of a key is to be undone.")
	case r.Kind == revocation.KindAll && r.Actor != actorFrom(ctx):
		return beyond("A revocation of everything, which somebody else has made, is to be undone.")
	}
	return nil
}
