package issuer

import "tollgate/issuer/session"

// drfVerify says whether a token is valid and its user may still log in. It sets the
// cookie again, but not to a token with which somebody acts as another.
func (i *Issuer) drfVerify(c *call) error {
	raw, err := i.drfPresented(c)
	if err != nil {
		return err
	}
	id, err := i.drfCheck(c, raw)
	if err != nil {
		return err
	}
	if _, err := i.drfUser(c.r.Context(), id); err != nil {
		return err
	}
	stamp := session.Stamp{JTI: id.JTI, IssuedAt: id.IssuedAt, ExpiresAt: id.ExpiresAt}
	if id.Actor != "" {
		return i.drfShow(c, raw, stamp, nil)
	}
	return i.drfHand(c, raw, stamp)
}
