// Package session keeps log-ins in Redis: who logged in on which device, the line
// of refresh tokens of each log-in, and its end.
//
// It owns the session records (names.go lists every key), the rule by which a
// refresh token is rotated, and the protocol by which a session ends. It hands out
// stamps (jti, iat, exp), and holds no token.
//
// It must not know how a token is signed or what claims it carries, HTTP, or who
// the users are.
//
// # Rotation
//
// One script on one key decides what a refresh token is worth (rotate.lua):
//
//	generation and jti are the record's   it is spent, a successor pair is installed
//	the generation before, its jti,       the standing pair again: same jtis, same
//	  within the grace, or while its      times. Two tabs, a retry after a lost
//	  rotation's answer was not marked    answer, a crash before the answer: not theft
//	  delivered (10 minutes at most)
//	any other lower generation            reuse: the record is marked ending
//	higher, another jti, no record        the store lost a write: not theft either
//
// Replay is safe only because the pair is the same: however many ask, one line of
// tokens lives.
//
// A session may also have one token in place of a pair. A sliding one (sliding.go) is
// exchanged for later copies of itself: nothing is spent, so nothing can be reused. Of
// the others (solo.go) drf-jwt's is renewed without being spent, and an impersonator's
// is not renewed at all and ends with the log-in of either user.
//
// # The end of a session
//
//	live ── mark ──▶ ending ── revocation in force ──▶ ended
//
// From the mark on nothing is refreshed; from the revocation on every token of the
// session is refused at the edges. A process may die at each arrow, so every door
// (refresh, Peek, Get, List, End) completes an ending session that it meets, and so
// does the sweep. The sweep finds them in a set into which a session is entered
// before it is marked. A reuse is marked by the script that found it, on one key,
// and is entered right after: for a process that dies just there, Run looks at every
// record once when it starts.
package session
