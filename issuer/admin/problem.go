package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// answer translates what a handler returned into a problem.
func (a *Admin) answer(c echo.Context, err error) {
	if c.Response().Committed {
		return
	}
	record := telemetry.From(c.Response().Writer)
	d := a.details(err)
	if record.Decision = telemetry.Deny; d.Status >= 500 {
		record.Decision = telemetry.Error
		a.Log.Error("an admin request failed", "route", record.Route, "request_id", record.RequestID, "error", err)
	}
	record.Error = d.Code
	if d.Status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "1")
	}
	problem.Write(c.Response(), d)
}

func (a *Admin) details(err error) problem.Details {
	var d *problem.Details
	var he *echo.HTTPError
	switch {
	case errors.As(err, &d):
		return *d
	case errors.As(err, &he):
		return problem.Details{Status: he.Code}
	case errors.Is(err, revocation.ErrInvalid), errors.Is(err, users.ErrInvalid):
		return problem.Details{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: reasonText(err)}
	case errors.Is(err, revocation.ErrNotFound), errors.Is(err, users.ErrNotFound), errors.Is(err, session.ErrNotFound), errors.Is(err, ring.ErrUnknownKey):
		return problem.Details{Status: http.StatusNotFound, Code: "not_found", Detail: "There is none by that name."}
	case errors.Is(err, users.ErrExists):
		return problem.Details{Status: http.StatusConflict, Code: "exists", Detail: "A user with that name or id exists already."}
	case errors.Is(err, ring.ErrNotYetPublished):
		return problem.Details{Status: http.StatusConflict, Code: "not_yet_published", Detail: reasonText(err)}
	case errors.Is(err, revocation.ErrUnavailable), errors.Is(err, users.ErrUnavailable), errors.Is(err, users.ErrBusy),
		errors.Is(err, session.ErrUnavailable), errors.Is(err, errRing):
		return problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unavailable",
			Detail: "The store could not be asked. Whether a change was made is not known; asking again is harmless.",
		}
	}
	return problem.Details{Status: http.StatusInternalServerError, Code: "internal"}
}

// errRing marks a change of the key ring that failed for another reason than what
// was asked for: its store could not be reached, or kept changing.
var errRing = errors.New("admin: the key ring could not be changed")

// ringError passes on what a client can mend and marks the rest.
func ringError(err error) error {
	if errors.Is(err, ring.ErrUnknownKey) || errors.Is(err, ring.ErrNotYetPublished) {
		return err
	}
	return errors.Join(errRing, err)
}

// reasonText is an error of our own packages without its package's name. These
// texts are written for people and repeat no secret.
func reasonText(err error) string {
	text := err.Error()
	for {
		head, rest, found := strings.Cut(text, ": ")
		if !found || strings.ContainsAny(head, " \"") {
			return text
		}
		text = rest
	}
}

// read decodes a body that is one JSON object without unknown members.
func read(c echo.Context, into any) error {
	decoder := json.NewDecoder(c.Request().Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, after := decoder.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("there is something after the object")
		}
	}
	var tooLarge *http.MaxBytesError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return &problem.Details{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large"}
	case errors.Is(err, io.EOF):
		return badBody("The body is empty; a JSON object is expected.")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return badBody("The body is not JSON.")
	case errors.As(err, &kind):
		return badBody("The member " + kind.Field + " has the wrong type: " + kind.Type.String() + " is expected.")
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return badBody("The body has an unknown member: " + strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return badBody("The body is not one JSON object as expected.")
}

// readOptional is read for an endpoint that can do without a body.
func readOptional(c echo.Context, into any) error {
	if c.Request().ContentLength == 0 {
		return nil
	}
	return read(c, into)
}

func badBody(detail string) error {
	return &problem.Details{Status: http.StatusBadRequest, Code: "bad_request", Detail: detail}
}

// absent says that this process does not keep what a row is about.
func absent(what string) error {
	return &problem.Details{
		Status: http.StatusNotFound, Code: "not_here",
		Detail: "This process keeps no " + what + ": it runs without the issuer role (TOLLGATE_ENABLE_ISSUER).",
	}
}

// param returns a part of the path, unescaped.
func param(c echo.Context, name string) string {
	if text, err := url.PathUnescape(c.Param(name)); err == nil && c.Request().URL.RawPath == "" {
		return text
	}
	return c.Param(name)
}
