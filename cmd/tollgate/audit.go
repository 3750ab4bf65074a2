package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// auditItem is a line of the audit log.
type auditItem struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor,omitempty"`
	ActorID   string    `json:"actor_id,omitempty"`
	Role      string    `json:"role,omitempty"`
	Session   string    `json:"session,omitempty"`
	Action    string    `json:"action"`
	Kind      string    `json:"kind,omitempty"`
	Target    string    `json:"target,omitempty"`
	Remote    string    `json:"remote,omitempty"`
	Via       string    `json:"via,omitempty"`
	Outcome   string    `json:"outcome"`
	Detail    string    `json:"detail,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Count     int       `json:"count,omitempty"`
}

func (c *cli) auditCommand() *cobra.Command {
	query := map[string]*string{}
	var most int
	var follow bool
	cmd := &cobra.Command{
		Use: "audit", Short: "Show who did what, when and from where, the newest first",
		Long: `Shows the audit log: what was done over the admin API, the console and by
the commands that use it or the key store in Redis, and log-ins, ended sessions, changed passwords and impersonations.
An outcome of "begun" is an action whose end nobody wrote: it may have happened.

With --follow the newest lines come last, and then each new one as it is written,
until you interrupt it; with -o json, one object in a line. It goes on after a
restart of the server. An action that takes more than 2 s is told when it begins,
and again, with the same id, when it is over.`,
		Example: "  tollgate audit --since 1h\n  tollgate audit --action session --actor on-call -o json\n  tollgate audit --outcome refused --limit 20\n  tollgate audit --follow --action login -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked := url.Values{}
			for name, value := range query {
				text := *value
				if text != "" && (name == "since" || name == "until") {
					at, err := moment(text, time.Now())
					if err != nil {
						return exitWith(exitUsage, "--%s is a time such as 2026-01-31T12:00:00Z, or how long ago, such as 1h", name)
					}
					text = at.UTC().Format(time.RFC3339Nano)
				}
				if text != "" {
					asked.Set(name, text)
				}
			}
			if follow && !cmd.Flags().Changed("limit") {
				most = beforeFollowed
			}
			if most < 1 && (!follow || most < 0) {
				return exitWith(exitUsage, "--limit is 1 or more")
			}
			if follow && asked.Has("until") {
				return exitWith(exitUsage, "--follow has no end: leave --until away")
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if follow {
				return c.followAudit(cmd.Context(), admin, asked, most)
			}
			all, err := auditLines(cmd.Context(), admin, asked, most)
			if err != nil {
				return err
			}
			return c.printAudit(all)
		},
	}
	for name, help := range map[string]string{
		"actor": "name or id of who did it", "action": "an action such as session.end, or the first part of several: session",
		"target": "what it was done to", "outcome": "done, refused, failed or begun", "since": "not before: a time, or how long ago", "until": "before: a time, or how long ago",
	} {
		query[name] = cmd.Flags().String(name, "", help)
	}
	cmd.Flags().IntVar(&most, "limit", 100, "most lines; with --follow, of those that are there already (10)")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	return cmd
}

// moment reads a time, or how long ago it was.
func moment(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	return time.Parse(time.RFC3339, text)
}

// auditLines reads pages until there are enough lines.
func auditLines(ctx context.Context, admin *adminClient, asked url.Values, most int) ([]auditItem, error) {
	all := []auditItem{}
	for len(all) < most {
		asked.Set("limit", strconv.Itoa(min(most-len(all), 1000)))
		var p struct {
			Items []auditItem `json:"items"`
			Next  string      `json:"next"`
		}
		if err := admin.call(ctx, http.MethodGet, "/admin/v1/audit?"+asked.Encode(), nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			break
		}
		asked.Set("cursor", p.Next)
	}
	return all, nil
}

var auditHead = []string{"WHEN", "WHO", "WHAT", "KIND", "ON", "OUTCOME", "DETAIL", "FROM", "VIA", "ID"}

func (c *cli) printAudit(all []auditItem) error {
	var rows [][]string
	for _, i := range all {
		rows = append(rows, i.row())
	}
	return c.print(all, auditHead, rows)
}

// row is the line as a table has it, in the order of auditHead.
func (i *auditItem) row() []string {
	who := i.Actor
	if i.Role != "" {
		who += " (" + i.Role + ")"
	}
	what := i.Action
	if i.Count > 1 {
		what += " ×" + strconv.Itoa(i.Count)
	}
	return []string{when(&i.At), who, what, i.Kind, i.Target, i.Outcome, i.Detail, i.Remote, i.Via, i.ID}
}
