package statuslist

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// listName is the name of a list: <epoch>-<seconds>-<window>-<number>.
type listName struct {
	epoch   string // the first 8 digits of the epoch's id
	seconds int64  // length of a window
	window  int64  // which since 1970
	number  int    // in the window, from 0
}

// Bounds of a list's name. One window is as long as an access token lives, within
// these: a list then lives about twice as long as its tokens.
const (
	leastWindow = time.Minute
	mostWindow  = time.Hour
	mostNumber  = 4095 // 400 million tokens in one window
)

func (n listName) String() string {
	return fmt.Sprintf("%s-%d-%d-%d", n.epoch, n.seconds, n.window, n.number)
}

// begins is when the first token of the list can have been issued.
func (n listName) begins() time.Time { return time.Unix(n.window*n.seconds, 0) }

// ends is when no token is issued into it any more.
func (n listName) ends() time.Time { return time.Unix((n.window+1)*n.seconds, 0) }

// parseListName reads exactly what String writes.
func parseListName(text string) (listName, bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 4 || len(text) > 64 {
		return listName{}, false
	}
	n := listName{epoch: parts[0]}
	var err [3]error
	n.seconds, err[0] = strconv.ParseInt(parts[1], 10, 32)
	n.window, err[1] = strconv.ParseInt(parts[2], 10, 32)
	n.number, err[2] = strconv.Atoi(parts[3])
	for _, e := range err {
		if e != nil {
			return listName{}, false
		}
	}
	if n.seconds < int64(leastWindow/time.Second) || n.seconds > int64(mostWindow/time.Second) || n.window < 0 || n.number < 0 || n.number > mostNumber {
		return listName{}, false
	}
	return n, n.String() == text
}

// epochTag is the part of an epoch's id that stands in names.
func epochTag(id string) string { return id[:min(8, len(id))] }
