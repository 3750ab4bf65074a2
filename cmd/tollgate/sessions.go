package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

type sessionItem struct {
	SID         string     `json:"sid"`
	Subject     string     `json:"subject"`
	Username    string     `json:"username"`
	Address     string     `json:"address"`
	Agent       string     `json:"agent"`
	State       string     `json:"state"`
	Generation  int64      `json:"generation"`
	CreatedAt   *time.Time `json:"created_at"`
	LastRefresh *time.Time `json:"last_refresh"`
	ExpiresAt   *time.Time `json:"expires_at"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Actor       string     `json:"actor,omitempty"`
}

func (c *cli) sessionsCommand() *cobra.Command {
	return group("sessions", "Look at and end sessions", c.sessionsList(), c.sessionsShow(), c.sessionsRevoke())
}

func (c *cli) sessionsList() *cobra.Command {
	var subject string
	cmd := &cobra.Command{
		Use: "list", Short: "List sessions: a user's, the newest first, or everybody's", Example: "  tollgate sessions list --subject 42\n  tollgate sessions list -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if subject != "" {
				query.Set("subject", subject)
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			all, err := list[sessionItem](cmd.Context(), admin, "/admin/v1/sessions", query)
			if err != nil {
				return err
			}
			return c.printSessions(all, all)
		},
	}
	cmd.Flags().StringVar(&subject, "subject", "", "the user's id (default: everybody's sessions, in no order)")
	return cmd
}

func (c *cli) sessionsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show SID", Short: "Show one session", Example: "  tollgate sessions show AAZ… -o json", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.oneSession(cmd, http.MethodGet, args[0]) },
	}
}

func (c *cli) sessionsRevoke() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke SID", Short: "End one session: refresh stops, its access tokens are refused everywhere",
		Example: "  tollgate sessions revoke AAZ… --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.confirm(yes, "This session will end: refresh stops, its access tokens are refused everywhere."); err != nil {
				return err
			}
			return c.oneSession(cmd, http.MethodDelete, args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) oneSession(cmd *cobra.Command, method, sid string) error {
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var s sessionItem
	if err := admin.call(cmd.Context(), method, "/admin/v1/sessions/"+url.PathEscape(sid), nil, &s); err != nil {
		return err
	}
	return c.printSessions(s, []sessionItem{s})
}

func (c *cli) printSessions(asJSON any, all []sessionItem) error {
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{s.SID, s.Subject, s.Username, s.State, when(s.CreatedAt), when(s.LastRefresh), when(s.ExpiresAt), s.Address, s.Agent})
	}
	return c.print(asJSON, []string{"SID", "SUBJECT", "USERNAME", "STATE", "CREATED", "LAST REFRESH", "EXPIRES", "ADDRESS", "AGENT"}, rows)
}
