package session

import (
	"fmt"
	"strconv"
	"time"
)

// minted is a pair as a script returned it, with the moment of the script and the
// end of the session's last token.
type minted struct {
	Pair
	now, ends int64 // unix seconds
}

// parseMinted reads {outcome, now, gen, sub, rj, ri, rx, aj, ai, ax, ends}.
func parseMinted(sid string, reply []string) (minted, error) {
	if len(reply) != 11 {
		return minted{}, fmt.Errorf("session: script returned %d values", len(reply))
	}
	var n [11]int64
	for _, i := range [...]int{1, 2, 5, 6, 8, 9, 10} {
		var err error
		if n[i], err = strconv.ParseInt(reply[i], 10, 64); err != nil {
			return minted{}, fmt.Errorf("session: script returned a number that is none: %w", err)
		}
	}
	return minted{
		Pair: Pair{
			SID: sid, Generation: n[2], Subject: reply[3], Replay: reply[0] == outcomeReplay,
			Refresh: Stamp{JTI: reply[4], IssuedAt: moment(n[5]), ExpiresAt: moment(n[6])},
			Access:  Stamp{JTI: reply[7], IssuedAt: moment(n[8]), ExpiresAt: moment(n[9])},
		},
		now: n[1], ends: n[10],
	}, nil
}

// moment turns unix seconds into a time in UTC; 0 is the zero time.
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
