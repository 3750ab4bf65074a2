// Package telemetry is what an operator sees of a running tollgate: the log, one
// line per request, the metrics, the traces, and the health endpoints.
//
// It owns the form of all of them and the closed sets of label values. It must not
// know tokens, keys, routes or Redis: who handles a request writes what it found
// into the request's [Record], and this package prints and counts it. Nothing of
// a request is printed but what the Record and the access line name: no header,
// no query, no body.
package telemetry
