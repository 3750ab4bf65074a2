package telemetry

import (
	"slices"
	"strings"
)

// Label values come from the configuration (route and upstream names) or from
// the closed sets of this file; whatever else a caller hands in is counted as
// "other". So no client can make the metrics grow.
const other = "other"

// Kinds of token, for [Metrics.Issued].
const (
	TokenAccess        = "access"
	TokenRefresh       = "refresh"
	TokenSliding       = "sliding"
	TokenImpersonation = "impersonation"
)

// Grants that tokens are issued for, for [Metrics.Issued].
const (
	GrantPassword          = "password"
	GrantRefresh           = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantExchange          = "token_exchange"
	GrantAdmin             = "admin"
	GrantImpersonation     = "impersonation"
)

// Results of a log-in, for [Metrics.Login].
const (
	LoginSuccess     = "success"
	LoginFailure     = "failure"     // unknown name, wrong password, inactive: one answer, one count
	LoginRate        = "rate"        // refused by the rate limit
	LoginBusy        = "busy"        // no slot to hash the password in time
	LoginUnavailable = "unavailable" // the store could not be asked
)

// Results of a refresh, for [Metrics.Refresh].
const (
	RefreshRotated     = "rotated"
	RefreshReplayed    = "replayed" // the same pair again, within the grace
	RefreshReuse       = "reuse"    // a spent token came back: the session was ended
	RefreshEnded       = "ended"    // the session is over, or revoked
	RefreshLost        = "store_lost"
	RefreshExpired     = "expired"
	RefreshInvalid     = "invalid" // not a refresh token of ours
	RefreshUnavailable = "unavailable"
)

// Sources of a revocation, for [Metrics.Revoked].
const (
	SourceAPI       = "api"
	SourceConsole   = "console"
	SourceLogout    = "logout"
	SourceBlacklist = "blacklist"
	SourceReuse     = "reuse"
	SourcePassword  = "password" // a changed password ends the other sessions
	SourceUser      = "user"     // the user was disabled or deleted
	SourceOAuth     = "oauth"    // RFC 7009
)

// Reasons of an upstream error, for [Metrics.UpstreamError].
const (
	UpstreamConnect  = "connect" // no connection: refused, unreachable, TLS
	UpstreamTimeout  = "timeout"
	UpstreamReset    = "reset"    // the connection broke in the middle
	UpstreamProtocol = "protocol" // the answer was not HTTP as it should be
	UpstreamCanceled = "canceled" // the client went away first
	UpstreamBusy     = "busy"     // too many requests in flight
)

// reasonUnavailable is the refusal when nobody can say whether a token is revoked.
const reasonUnavailable = "unavailable"

// reasons are the refusal reasons of the interface; keys/token owns them.
func reasons() []string {
	return []string{
		"missing", "malformed", "algorithm", "unknown_key", "signature", "expired", "not_yet_valid",
		"issuer", "audience", "token_type", "lifetime", "revoked", "scope", "claim", "origin", "rate",
		reasonUnavailable,
	}
}

// roles are those of admin tokens, and none.
func roles() []string { return []string{none, "viewer", "operator", "admin"} }

func tokenKinds() []string {
	return []string{TokenAccess, TokenRefresh, TokenSliding, TokenImpersonation}
}

func grants() []string {
	return []string{GrantPassword, GrantRefresh, GrantClientCredentials, GrantExchange, GrantAdmin, GrantImpersonation}
}

func loginResults() []string {
	return []string{LoginSuccess, LoginFailure, LoginRate, LoginBusy, LoginUnavailable}
}

func refreshResults() []string {
	return []string{
		RefreshRotated, RefreshReplayed, RefreshReuse, RefreshEnded, RefreshLost, RefreshExpired,
		RefreshInvalid, RefreshUnavailable,
	}
}

func revocationKinds() []string {
	return []string{"jti", "session", "subject", "key", "all", "signed", "token"}
}

func revocationSources() []string {
	return []string{
		SourceAPI, SourceConsole, SourceLogout, SourceBlacklist, SourceReuse, SourcePassword, SourceUser,
		SourceOAuth,
	}
}

func upstreamReasons() []string {
	return []string{UpstreamConnect, UpstreamTimeout, UpstreamReset, UpstreamProtocol, UpstreamCanceled, UpstreamBusy}
}

// redisOps are the names of the commands that tollgate sends, and what is none:
// dialling and pipelines.
func redisOps() []string {
	return []string{
		"dial", "pipeline", "ping", "time", "info", "config", "wait", "eval", "evalsha", "eval_ro",
		"evalsha_ro", "script", "get", "set", "getdel", "del", "unlink", "exists", "expire", "pexpire",
		"ttl", "pttl", "incr", "hget", "hmget", "hgetall", "hset", "hdel", "zadd", "zrange", "zrem",
		"zcard", "xadd", "xread", "xrange", "xrevrange", "xtrim", "xlen", "scan",
	}
}

// fold returns v if it is one of the set, else "other".
func fold(set []string, v string) string {
	if slices.Contains(set, v) {
		return v
	}
	return other
}

// foldMethod keeps the methods of RFC 9110 section 9 and RFC 5789.
func foldMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return m
	}
	return other
}

// foldDecision is a switch and no set: every request passes here.
func foldDecision(d string) string {
	switch d {
	case Allow, Deny, Error, Report:
		return d
	case "":
		return none
	}
	return other
}

// valid keeps a configured name that is no UTF-8 from ending the program: the
// Prometheus library panics on one.
func valid(name string) string {
	return strings.ToValidUTF8(name, "\uFFFD")
}
