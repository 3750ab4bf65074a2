package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

const (
	idempotencyKey     = "Idempotency-Key"
	idempotentReplayed = "Idempotency-Replayed"
	// settling is what a request may take beyond the time of its row: to keep its answer.
	settling = 5 * time.Second
)

// perform does what a row does: for a POST with an idempotency key once, and what the
// key brings again gets the first one's answer. Everything else may come again anyway.
func (a *Admin) perform(c echo.Context, r row, do echo.HandlerFunc) error {
	key, given, err := keyOf(c.Request().Header)
	if err != nil {
		return err
	}
	if !given || r.method != http.MethodPost {
		return do(c)
	}
	if a.Answers == nil {
		return badKey("This process keeps no answers: it takes no Idempotency-Key.")
	}
	// A body that does not come whole takes no place.
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return bodyFault(err)
	}
	c.Request().Body = io.NopCloser(bytes.NewReader(body))
	ctx := c.Request().Context()
	place, before, err := a.Answers.Begin(ctx, store.Attempt{
		Actor: whoOf(ctx).ID, Key: key, Request: digestOf(c.Request(), body), Within: r.timeout + settling,
	})
	switch {
	case errors.Is(err, store.ErrReused):
		return &problem.Details{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused", Detail: "This Idempotency-Key came with another request before: another path or another body."}
	case errors.Is(err, store.ErrRunning):
		return &problem.Details{Status: http.StatusConflict, Code: "idempotency_key_running", Detail: "The first request with this Idempotency-Key has no answer yet. Ask again later."}
	case err != nil:
		return unsettled(err, "Nothing was done.")
	case before != nil:
		return replay(c, *before)
	}
	return a.performOnce(c, do, place)
}

// performOnce runs the handler and keeps its answer before it is given. One that says
// that the server failed, or has no room now, is not kept: the request may be tried again.
func (a *Admin) performOnce(c echo.Context, do echo.HandlerFunc, place *store.Place) error {
	out := c.Response().Writer
	w := &keeper{ResponseWriter: out, header: out.Header()}
	c.Response().Writer = w
	err := do(c)
	c.Response().Writer = out
	if err != nil {
		told := &keeper{header: http.Header{}}
		problem.Write(told, a.details(err))
		a.keepAnswer(c, place, told.answer())
		return err
	}
	a.keepAnswer(c, place, w.answer())
	return give(out, w.answer())
}

// keepAnswer keeps the answer or gives the place back, although the client may have gone.
// What was done is done: a store that does not take its answer changes nothing about
// that, and the place is free again when the request's time is over.
func (a *Admin) keepAnswer(c echo.Context, place *store.Place, answer store.Answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), settling)
	defer cancel()
	ctx = store.WithBudget(ctx, a.RedisTime)
	kept := true
	var err error
	if answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests {
		err = place.Free(ctx)
	} else {
		kept, err = place.Keep(ctx, answer)
	}
	if err != nil || !kept {
		a.Log.Warn("an answer was not kept for its idempotency key", "route", telemetry.From(c.Response().Writer).Route, "in_time", kept, "error", err)
	}
}

// replay gives the answer that the request had before. Nothing is done, so the audit log
// has no second line: the access line tells of it.
func replay(c echo.Context, answer store.Answer) error {
	record := telemetry.From(c.Response().Writer)
	c.Response().Header().Set(idempotentReplayed, "true")
	if answer.Type != "" {
		c.Response().Header().Set("Content-Type", answer.Type)
	}
	if answer.Status >= http.StatusBadRequest {
		record.Decision, record.Error = telemetry.Deny, "replayed" // a reason would count it as a token's refusal
	} else {
		record.Reason = "replayed"
	}
	return give(c.Response(), answer)
}

func give(w http.ResponseWriter, answer store.Answer) error {
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // a client that went away can ask again
	return nil
}

// keyOf reads the header: 1 to 255 visible ASCII characters, opaque to us.
func keyOf(h http.Header) (key string, given bool, err error) {
	values := h.Values(idempotencyKey)
	switch {
	case len(values) == 0:
		return "", false, nil
	case len(values) > 1:
		return "", false, badKey("There is more than one Idempotency-Key.")
	}
	key = strings.TrimSpace(values[0])
	if key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", false, badKey("An Idempotency-Key has 1 to 255 visible ASCII characters.")
	}
	return key, true, nil
}

func badKey(detail string) error {
	return &problem.Details{Status: http.StatusBadRequest, Code: "idempotency_key", Detail: detail}
}

// digestOf stands for what is asked. No method or target has a line break.
func digestOf(r *http.Request, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(r.Method+"\n"+r.URL.RequestURI()+"\n"), body...))
}

// keeper holds an answer back until it is kept.
type keeper struct {
	http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *keeper) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *keeper) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

// Write implements http.ResponseWriter.
func (k *keeper) Write(p []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(p)
}

// Unwrap leads to the request's own writer.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func (k *keeper) answer() store.Answer {
	return store.Answer{Status: k.status, Type: k.header.Get("Content-Type"), Body: k.body.Bytes()}
}
