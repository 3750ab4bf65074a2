package admin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// problemType and a problem's code are its type: a name, not an address. What each
// means stands in docs/problems.md.
const problemType = "urn:tollgate:problem:"

// answer translates what a handler returned into a problem.
func (a *Admin) answer(c echo.Context, err error) {
	if c.Response().Committed {
		return
	}
	record := telemetry.From(c.Response().Writer)
	d := a.details(err)
	if d.Detail == notKnown && c.Request().Method == http.MethodGet {
		d.Detail = notAsked
	}
	if record.Decision = telemetry.Deny; d.Status >= 500 {
		record.Decision = telemetry.Error
		waited, most := store.Waited(c.Request().Context())
		a.Log.Error("an admin request failed", "route", record.Route, "request_id", record.RequestID,
			"waited_for_redis_ms", waited.Milliseconds(), "limit_ms", most.Milliseconds(), "error", err)
	}
	record.Error = d.Code
	if d.Status == http.StatusServiceUnavailable || d.Code == "too_many_waits" {
		c.Response().Header().Set("Retry-After", "1")
	}
	problem.Write(c.Response(), d)
}

// What is said when the store could not be asked: to look changes nothing.
const (
	notKnown = "The store could not be asked. Whether a change was made is not known; asking again is harmless."
	notAsked = "The store could not be asked. Asking again is harmless."
)

// details is the problem that an error is.
func (a *Admin) details(err error) problem.Details {
	d := kindOf(err)
	if d.Code != "" {
		d.Type = problemType + d.Code
	}
	return d
}

func kindOf(err error) problem.Details {
	var d *problem.Details
	var he *echo.HTTPError
	var half *revocation.Unconfirmed
	switch {
	case errors.As(err, &d):
		return *d
	case errors.As(err, &he):
		return problem.Details{Status: he.Code}
	case isInvalid(err):
		return problem.Details{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: reasonText(err)}
	case errors.Is(err, revocation.ErrNotFound), errors.Is(err, users.ErrNotFound), errors.Is(err, session.ErrNotFound), errors.Is(err, ring.ErrUnknownKey),
		errors.Is(err, store.ErrNotFound):
		return problem.Details{Status: http.StatusNotFound, Code: "not_found", Detail: "There is none by that name."}
	case errors.Is(err, users.ErrExists):
		return problem.Details{Status: http.StatusConflict, Code: "exists", Detail: "A user with that name, id or e-mail address exists already."}
	case errors.Is(err, store.ErrExists):
		return problem.Details{Status: http.StatusConflict, Code: "exists", Detail: "A client with that id exists already."}
	case errors.Is(err, ring.ErrNotYetPublished):
		return problem.Details{Status: http.StatusConflict, Code: "not_yet_published", Detail: reasonText(err)}
	case errors.Is(err, ring.ErrFull):
		return problem.Details{Status: http.StatusConflict, Code: "key_set_full", Detail: reasonText(err)}
	case errors.As(err, &half):
		return problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unconfirmed",
			Detail: "The change is " + half.Known + ". Asking again is harmless.",
		}
	case errors.Is(err, revocation.ErrShut):
		return problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unavailable",
			Detail: whyNot(err) + "No revocation was changed. Asking again is harmless.",
		}
	case errors.Is(err, revocation.ErrUnavailable), errors.Is(err, users.ErrUnavailable), errors.Is(err, users.ErrBusy),
		errors.Is(err, session.ErrUnavailable), errors.Is(err, store.ErrUnavailable), errors.Is(err, issuer.ErrUnavailable), errors.Is(err, errRing):
		return problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unavailable",
			Detail: notKnown,
		}
	}
	return problem.Details{Status: http.StatusInternalServerError, Code: "internal"}
}

// isInvalid reports whether a store or the issuer says that what was asked for cannot be
// meant.
func isInvalid(err error) bool {
	return errors.Is(err, revocation.ErrInvalid) || errors.Is(err, users.ErrInvalid) || errors.Is(err, session.ErrInvalid) ||
		errors.Is(err, store.ErrInvalid) || errors.Is(err, issuer.ErrOrder)
}

// errRing marks a change of the key ring that failed for another reason than what
// was asked for: its store could not be reached, or kept changing.
var errRing = errors.New("admin: the key ring could not be changed")

// ringError passes on what a client can mend and marks the rest.
func ringError(err error) error {
	if errors.Is(err, ring.ErrUnknownKey) || errors.Is(err, ring.ErrNotYetPublished) || errors.Is(err, ring.ErrFull) {
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

// read decodes a body that is one JSON object without unknown members. Numbers
// among a user's attributes keep their digits.
func read(c echo.Context, into any) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return bodyFault(err)
	}
	if err := membersOnce(body); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	err = decoder.Decode(into)
	if err == nil {
		if _, after := decoder.Token(); !errors.Is(after, io.EOF) {
			err = errors.Join(errors.New("there is something after the object"), after)
		}
	}
	if err == nil {
		return nil
	}
	return bodyFault(err)
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var clock *time.ParseError
	switch {
	case errors.As(err, &tooLarge):
		return &problem.Details{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Detail: "The body is too large."}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &problem.Details{Status: http.StatusRequestTimeout, Code: "body_too_slow", Detail: "The body did not arrive in time."}
	case errors.Is(err, io.EOF):
		return badBody("The body is empty; a JSON object is expected.")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return badBody("The body is not JSON.")
	case errors.As(err, &kind) && kind.Field != "":
		return badBody("The member " + kind.Field + " has the wrong type: " + jsonType(kind.Type) + " is expected.")
	case errors.As(err, &clock), strings.HasPrefix(err.Error(), "Time.UnmarshalJSON: "):
		return badBody("A time is not as in RFC 3339: a string such as 2026-01-31T12:00:00Z is expected.")
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return badBody("The body has an unknown member: " + strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return badBody("The body is not one JSON object as expected.")
}

// jsonType names a Go type in the words of who writes JSON.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "an object"
}

// readOptional is read for an endpoint that can do without a body.
func readOptional(c echo.Context, into any) error {
	// The length may be unknown: only looking tells that there is nothing.
	body := bufio.NewReader(c.Request().Body)
	if _, err := body.Peek(1); errors.Is(err, io.EOF) {
		return nil
	}
	c.Request().Body = io.NopCloser(body)
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

// param returns a part of the path, unescaped. Echo matches the path as it was
// sent where that differs from what the standard encoding of it would be, and the
// decoded one otherwise: only the former has escapes left.
func param(c echo.Context, name string) string {
	if c.Request().URL.RawPath == "" {
		return c.Param(name)
	}
	text, err := url.PathUnescape(c.Param(name))
	if err != nil { // net/http answers a bad escape before it comes here
		return c.Param(name)
	}
	return text
}
