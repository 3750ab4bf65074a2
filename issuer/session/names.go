package session

import (
	"crypto/sha256"
	"encoding/hex"
)

// Every Redis key of this package. All have a TTL.
//
//	<prefix>s:{<sid>}                       HASH    one session; fields below; TTL: until the last token minted for it expires, plus leeway
//	<prefix>u:{<subject digest>}:sessions   ZSET    sids of a subject, scored by their expiry in unix seconds; TTL: longest session life plus leeway, from the last log-in or refresh
//	<prefix>jti:<jti>                       STRING  sid of a refresh or sliding token; TTL: until it expires, plus leeway
//	<prefix>ending                          ZSET    sids to be ended, scored by when that was asked, in unix seconds; TTL: longest session life plus leeway, from the last one entered
//
// Fields of a session's record. Times are unix seconds by Redis's clock unless
// said otherwise.
//
//	sub name addr agent      who logged in, from where
//	created used             log-in, last refresh
//	gen                      generation of the current pair; 0: one token in place of a pair (sliding.go, solo.go)
//	rj ri rx aj ai ax        the current pair: jti, iat, exp of its refresh and access token;
//	                         a sliding token has one jti, and rx is the end of its refresh period
//	prj pri prx paj pai pax  the same of the pair before
//	at                       the rotation that made the current pair, unix milliseconds
//	from                     who got the current refresh token: gen, address and agent, joined by 0x1F; "=" for that of
//	                         the log-in, else "~" and the text. Absent until the first rotation: the log-in's
//	l0 … l4                  the refresh tokens spent last, each at its generation modulo 5: jti, iat and its from. In
//	                         fields of their own, none of 64 bytes as a rule, so that Redis keeps a small record compact
//	told                     "1" once that rotation's answer was delivered
//	ends                     latest exp of any token minted for the session
//	state                    absent, "ending" or "ended"
//	renews                   "1" where one token can be renewed: rj is then the first one's jti, rx as late as any
//	act act_sid              who acts in the subject's name, from which log-in
//	why who over             reason, actor and moment of the end
type names struct{ prefix string }

func (n names) session(sid string) string { return n.prefix + "s:{" + sid + "}" }
func (n names) jti(jti string) string     { return n.prefix + "jti:" + jti }
func (n names) ending() string            { return n.prefix + "ending" }

func (n names) subject(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return n.prefix + "u:{" + hex.EncodeToString(sum[:16]) + "}:sessions"
}
