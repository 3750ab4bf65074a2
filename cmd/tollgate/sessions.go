package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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

	Impersonator string          `json:"impersonator,omitempty"`
	Tokens       json.RawMessage `json:"tokens,omitempty"`
	Refreshes    []refreshedItem `json:"refreshes,omitempty"`
}

// refreshedItem is a refresh token of a session.
type refreshedItem struct {
	Generation int64      `json:"generation"`
	JTI        string     `json:"jti"`
	IssuedAt   *time.Time `json:"issued_at"`
	SpentAt    *time.Time `json:"spent_at"`
	Address    string     `json:"address"`
	Agent      string     `json:"agent"`
}

func (c *cli) sessionsCommand() *cobra.Command {
	return group("sessions", "Look at and end sessions", c.sessionsList(), c.sessionsShow(), c.sessionsRevoke())
}

func (c *cli) sessionsList() *cobra.Command {
	var subject, jti string
	cmd := &cobra.Command{
		Use: "list", Short: "List sessions: a user's, the newest first, or everybody's", Example: "  tollgate sessions list --subject 42\n  tollgate sessions list --jti 8d1f6c27a0b94e3f9d5b6f1e2c3a4b5d\n  tollgate sessions list -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			for name, value := range map[string]string{"subject": subject, "jti": jti} {
				if value != "" {
					query.Set(name, value)
				}
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
	cmd.Flags().StringVar(&jti, "jti", "", "the session of the refresh token with this jti, also when it was spent since")
	cmd.MarkFlagsMutuallyExclusive("subject", "jti")
	return cmd
}

func (c *cli) sessionsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show SID", Short: "Show one session with its line of refresh tokens", Example: "  tollgate sessions show AAZ… -o json", Args: cobra.ExactArgs(1),
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
	if err := c.printSessions(s, []sessionItem{s}); err != nil || c.output == "json" || len(s.Refreshes) == 0 {
		return err
	}
	fmt.Fprintln(c.out)
	var rows [][]string
	for _, r := range s.Refreshes {
		rows = append(rows, []string{strconv.FormatInt(r.Generation, 10), r.JTI, when(r.IssuedAt), when(r.SpentAt), r.Address, r.Agent})
	}
	return c.print(nil, []string{"GENERATION", "REFRESH JTI", "ISSUED", "SPENT", "ADDRESS", "AGENT"}, rows)
}

func (c *cli) printSessions(asJSON any, all []sessionItem) error {
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{s.SID, s.Subject, s.Username, s.State, when(s.CreatedAt), when(s.LastRefresh), when(s.ExpiresAt), s.Address, s.Agent})
	}
	return c.print(asJSON, []string{"SID", "SUBJECT", "USERNAME", "STATE", "CREATED", "LAST REFRESH", "EXPIRES", "ADDRESS", "AGENT"}, rows)
}
