package issuer

import (
	"fmt"
	"slices"

	"tollgate/issuer/users"
)

// Carries reports whether an attribute of a user stands in the user's tokens: who may
// set it says what back ends believe of the user.
func (i *Issuer) Carries(attribute string) bool {
	return i.Claims.UserIDField == attribute ||
		slices.ContainsFunc(i.Claims.Custom, func(c CustomClaim) bool { return c.Attribute == attribute })
}

// MayImpersonate reports whether the user's log-ins may act in the name of others: as
// a superuser, or by ImpersonateClaim. Where that cannot be told from the attributes
// alone it says yes.
func (i *Issuer) MayImpersonate(u users.User) bool {
	rule := i.ImpersonateClaim
	if u.IsSuperuser || rule == nil {
		return u.IsSuperuser
	}
	var value any
	for _, c := range i.Claims.Custom {
		if c.Claim == rule.Name {
			value, _ = u.Attribute(c.Attribute)
		}
	}
	switch rule.Name {
	case i.Claims.UserIDClaim:
		value, _ = u.Attribute(i.Claims.UserIDField)
	case "sub":
		value = u.ID
	}
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return len(rule.OneOf) == 0 || slices.Contains(rule.OneOf, v)
	case bool:
		return len(rule.OneOf) == 0 || slices.Contains(rule.OneOf, fmt.Sprint(v))
	}
	return true
}
