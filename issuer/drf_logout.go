package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// drfLogout ends the line of the caller's own token, or that of another token of the
// caller's in the body: every token of the line, whichever of them it was. The answer
// is the token again, as drf-jwt's BlacklistView has it. A cookie that held the token
// goes.
func (i *Issuer) drfLogout(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	ending, text := c.caller, c.presented
	if _, sent := body["token"]; sent {
		if ending, text, err = i.drfOwn(c, body); err != nil {
			return err
		}
	}
	if err := i.end(c, ending, telemetry.SourceLogout); err != nil {
		return err
	}
	if c.carrier != "" && ending.SID == c.caller.SID {
		i.Cookies.expire(c.w.Header(), c.carrier)
	}
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusCreated, map[string]string{"token": text})
}

// drfOwn reads the token of the body. It must be the caller's own: drf-jwt ends
// anybody's.
func (i *Issuer) drfOwn(c *call, body fields) (*token.Identity, string, error) {
	raw, err := body.texts("token")
	if err != nil {
		return nil, "", err
	}
	id, err := i.drfCheck(c, raw[0])
	i.noteToken(c, c.caller) // the line is about who called
	if err != nil {
		return nil, "", err
	}
	if id.Subject != c.caller.Subject || c.caller.Actor != "" && id.SID != c.caller.SID {
		return nil, "", forbidden("not a token of the caller's")
	}
	return id, raw[0], nil
}

// forbidden is Django REST framework's answer to somebody who is known and may not.
func forbidden(detail string) *fault {
	return &fault{status: http.StatusForbidden, reason: token.ReasonClaim, detail: detail,
		body: map[string]string{"detail": "You do not have permission to perform this action."}}
}
