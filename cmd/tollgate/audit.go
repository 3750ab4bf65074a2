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
	cmd := &cobra.Command{
		Use: "audit", Short: "Show who did what, when and from where, the newest first",
		Long: `Shows the audit log: what was done over the admin API, the console and by
command, and log-ins, ended sessions, changed passwords and impersonations.
An outcome of "begun" is an action whose end nobody wrote: it may have happened.`,
		Example: "  tollgate audit --since 1h\n  tollgate audit --action session --actor on-call -o json\n  tollgate audit --outcome refused --limit 20",
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
			if most < 1 {
				return exitWith(exitUsage, "--limit is 1 or more")
			}
			admin, err := c.admin()
			if err != nil {
				return err
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
	cmd.Flags().IntVar(&most, "limit", 100, "most lines")
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
	for {
		asked.Set("limit", strconv.Itoa(min(most-len(all), 1000)))
		var p struct {
			Items []auditItem `json:"items"`
			Next  string      `json:"next"`
		}
		if err := admin.call(ctx, http.MethodGet, "/admin/v1/audit?"+asked.Encode(), nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" || len(all) >= most {
			return all, nil
		}
		asked.Set("cursor", p.Next)
	}
}

func (c *cli) printAudit(all []auditItem) error {
	var rows [][]string
	for _, i := range all {
		who := i.Actor
		if i.Role != "" {
			who += " (" + i.Role + ")"
		}
		what := i.Action
		if i.Count > 1 {
			what += " ×" + strconv.Itoa(i.Count)
		}
		rows = append(rows, []string{when(&i.At), who, what, i.Kind, i.Target, i.Outcome, i.Detail, i.Remote, i.Via, i.ID})
	}
	return c.print(all, []string{"WHEN", "WHO", "WHAT", "KIND", "ON", "OUTCOME", "DETAIL", "FROM", "VIA", "ID"}, rows)
}
