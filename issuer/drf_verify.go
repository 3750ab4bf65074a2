package issuer

import "tollgate/issuer/session"

// drfVerify says whether a token is valid and its user may still log in. It sets the
// cookie again, but not to a token with which somebody acts as another.
func (i *Issuer) drfVerify(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	raw, err := body.texts("token")
	if err != nil {
		return err
	}
	id, err := i.drfCheck(c, raw[0])
	if err != nil {
		return err
	}
	if _, err := i.drfUser(c.r.Context(), id); err != nil {
		return err
	}
	stamp := session.Stamp{JTI: id.JTI, IssuedAt: id.IssuedAt, ExpiresAt: id.ExpiresAt}
	if id.Actor != "" {
		return i.drfShow(c, raw[0], stamp)
	}
	return i.drfHand(c, raw[0], stamp)
}
