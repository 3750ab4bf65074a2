package issuer

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/statuslist"
)

// statusList serves a status list (draft-ietf-oauth-status-list section 8).
func (i *Issuer) statusList(c *call) error {
	if i.preflight(c) {
		return nil
	}
	if c.r.URL.Query().Has("time") { // section 8.4: lists of the past are not kept
		return problemOf(http.StatusNotImplemented, "Only the current status list is served.")
	}
	d, err := i.Status.List(c.r.Context(), c.r.URL.Path[strings.LastIndexByte(c.r.URL.Path, '/')+1:])
	if errors.Is(err, statuslist.ErrNotFound) {
		return problemOf(http.StatusNotFound, "There is no such status list.")
	}
	if err != nil {
		return err
	}
	publish(c, d, "application/"+statuslist.ListType)
	return nil
}

// revocations serves a page of what was revoked.
func (i *Issuer) revocations(c *call) error {
	if i.preflight(c) {
		return nil
	}
	query := c.r.URL.Query()
	after, err := uint64(0), error(nil)
	if text := query.Get("after"); text != "" {
		after, err = strconv.ParseUint(text, 10, 53) // more is no number to a reader in JavaScript
	}
	if err != nil || len(query["after"]) > 1 {
		return problemOf(http.StatusBadRequest, "after is not a number of the feed.")
	}
	d, err := i.Status.Revocations(c.r.Context(), after, query.Get("epoch"))
	if err != nil {
		return err
	}
	publish(c, d, "application/jwt") // RFC 7519 section 10.3.1
	return nil
}

// preflight says that pages of any origin may read the answer, and answers those
// who only ask for that (Fetch standard, section 3.2).
func (*Issuer) preflight(c *call) bool {
	h := c.w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Del("Access-Control-Allow-Credentials") // the two exclude each other
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
	if c.r.Method != http.MethodOptions {
		return false
	}
	h.Set("Access-Control-Allow-Methods", h.Get("Allow"))
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Max-Age", "86400")
	c.w.WriteHeader(http.StatusNoContent)
	return true
}

// publish sends a signed document to anybody.
func publish(c *call, d *statuslist.Document, mediaType string) {
	h := c.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("ETag", d.ETag)
	h.Set("Cache-Control", "public, max-age="+strconv.FormatInt(int64(d.MaxAge/time.Second), 10))
	h.Set("X-Content-Type-Options", "nosniff")
	c.record.Decision = telemetry.Allow
	http.ServeContent(c.w, c.r, "", time.Time{}, bytes.NewReader(d.Body))
}

// problemOf is an answer about the request itself, not about a token.
func problemOf(status int, detail string) *fault {
	return &fault{status: status, body: map[string]string{"detail": detail}, detail: detail}
}
