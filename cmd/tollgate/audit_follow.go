package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// beforeFollowed is how many lines that are there already --follow shows first.
	beforeFollowed = 10
	// followWait is how long one request waits for a line: a server that stops waits as
	// long for us.
	followWait     = "5s"
	maxFollowPause = 5 * time.Second
)

// followAudit shows the last lines and then each new one until ctx ends. A server that
// does not answer any more is asked again; one that never did is an error.
func (c *cli) followAudit(ctx context.Context, admin *adminClient, asked url.Values, most int) error {
	// The position comes first: what is written between the two is then in both, and not
	// in neither.
	after, err := followed(ctx, admin, url.Values{"after": {"now"}})
	if err != nil {
		return err
	}
	shown, err := auditLines(ctx, admin, asked, most)
	if err != nil {
		return err
	}
	slices.Reverse(shown)
	if err := c.printFollowed(true, shown); err != nil {
		return err
	}
	asked.Del("cursor")
	asked.Del("limit")
	asked.Del("since")
	asked.Set("wait", followWait)
	for pause := time.Duration(0); ctx.Err() == nil; {
		asked.Set("after", after.Next)
		p, err := followed(ctx, admin, asked)
		switch {
		case err == nil:
			p.Items = slices.DeleteFunc(p.Items, func(i auditItem) bool { return i.among(shown) })
			if err := c.printFollowed(false, p.Items); err != nil {
				return err
			}
			if len(p.Items) > 0 { // what was listed at the start is over
				shown = nil
			}
			after, pause = p, 0
			continue
		case ctx.Err() != nil:
			return nil
		case codeOf(err) != exitUnreachable:
			return err
		case pause == 0:
			fmt.Fprintf(c.err, "tollgate: %v; asking again\n", err)
		}
		pause = min(max(2*pause, 500*time.Millisecond), maxFollowPause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// among reports whether the line is one of these. The outcome of an action has the id
// of its intent.
func (i *auditItem) among(all []auditItem) bool {
	return slices.ContainsFunc(all, func(o auditItem) bool { return o.ID == i.ID && o.Outcome == i.Outcome })
}

type auditPage struct {
	Items []auditItem `json:"items"`
	Next  string      `json:"next"`
}

func followed(ctx context.Context, admin *adminClient, asked url.Values) (auditPage, error) {
	var p auditPage
	err := admin.call(ctx, http.MethodGet, "/admin/v1/audit?"+asked.Encode(), nil, &p)
	return p, err
}

// followedWidths are the columns of auditHead where lines come one by one, and nobody
// knows the longest. The last has none.
var followedWidths = [...]int{20, 20, 20, 8, 22, 7, 14, 14, 6, 0}

// printFollowed shows lines as they come: each as an object of its own with -o json.
func (c *cli) printFollowed(head bool, lines []auditItem) error {
	var text strings.Builder
	if c.output == "json" {
		encoder := json.NewEncoder(&text)
		for _, i := range lines {
			if err := encoder.Encode(i); err != nil {
				return err
			}
		}
	} else {
		if head {
			writeFollowed(&text, auditHead)
		}
		for _, i := range lines {
			writeFollowed(&text, i.row())
		}
	}
	if _, err := io.WriteString(c.out, text.String()); err != nil {
		return exitWith(exitRefused, "the output is closed: %w", err)
	}
	return nil
}

func writeFollowed(text *strings.Builder, row []string) {
	for n, cell := range row {
		if cell == "" {
			cell = "-"
		}
		if n == len(row)-1 {
			fmt.Fprintln(text, cell)
			return
		}
		fmt.Fprintf(text, "%-*s  ", followedWidths[n], cell)
	}
}
