package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/keys/token"
)

func (c *cli) tokenCommand() *cobra.Command {
	return group("token", "Make, read and check tokens", c.tokenIssue(), c.tokenInspect(), c.tokenVerify(), c.tokenExplain())
}

// tokenFromStdin takes a token from standard input, which "-" says.
func (c *cli) tokenFromStdin(arg string) (string, error) {
	if arg != "-" {
		return "", exitWith(exitUsage, "give the token on standard input and '-' as argument: arguments can be read by every process of the machine")
	}
	raw, err := c.secretFromStdin("token")
	return strings.TrimSpace(raw), err
}

func (c *cli) tokenIssue() *cobra.Command {
	var user, client, scope string
	var audiences, claims []string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "issue (--user ID | --client ID)",
		Short: "Issue an access token without a log-in",
		Long:  "Issue an access token for a user or a client, without a log-in. It stands alone on standard output.",
		Example: `  tollgate token issue --user 42 --ttl 1m --claim tenant
  tollgate token issue --client reports --scope shop:read`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body := map[string]any{"subject": user, "client_id": client}
			for flag, v := range map[string]any{"audience": audiences, "scope": scope} {
				if cmd.Flags().Changed(flag) {
					body[flag] = v
				}
			}
			if cmd.Flags().Changed("claim") {
				body["claims"] = claims
			}
			if ttl != 0 {
				body["ttl"] = ttl.String()
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			var item map[string]any
			if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/tokens", body, &item); err != nil {
				return err
			}
			if c.output == "json" {
				return c.print(item, nil, nil)
			}
			_, err = fmt.Fprintln(c.out, item["token"])
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&user, "user", "", "for the user with this id")
	f.StringVar(&client, "client", "", "for the client with this id")
	f.DurationVar(&ttl, "ttl", 0, "its life (default and most: TOLLGATE_ACCESS_TTL)")
	f.StringArrayVar(&audiences, "audience", nil, "an audience (default: that of a log-in, or of the client); may be repeated")
	f.StringArrayVar(&claims, "claim", nil, "carry only this claim of the user (default: all); may be repeated")
	f.StringVar(&scope, "scope", "", "scopes, separated by blanks")
	return cmd
}

func (c *cli) tokenInspect() *cobra.Command {
	return &cobra.Command{
		Use: "inspect -", Short: "Show what a token says, without asking anybody whether it is true",
		Example: "  tollgate token inspect - < token", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := c.tokenFromStdin(args[0])
			if err != nil {
				return err
			}
			const most = 64 << 10 // what a server takes is its own setting
			said, err := token.Inspect(raw, most)
			if err != nil {
				return exitWith(exitRefused, "%w", err)
			}
			var both bytes.Buffer
			text := fmt.Sprintf(`{"header":%s,"claims":%s}`, said.Header, said.Claims)
			if err := json.Indent(&both, []byte(text), "", "  "); err != nil {
				return exitWith(exitRefused, "the token is not JSON: %w", err)
			}
			fmt.Fprintln(c.err, "Not verified: anybody can write this. tollgate token verify - checks it.")
			_, err = fmt.Fprintln(c.out, both.String())
			return err
		},
	}
}

// explained is the answer of the admin API about one token.
type explained struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Steps    []struct {
		Step    string `json:"step"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason,omitempty"`
		Detail  string `json:"detail,omitempty"`
	} `json:"steps"`
	Token map[string]any `json:"token,omitempty"`
	Route map[string]any `json:"route,omitempty"`
}

func (c *cli) explain(cmd *cobra.Command, arg, method, url string) (*explained, error) {
	admin, err := c.admin()
	if err != nil {
		return nil, err
	}
	raw, err := c.tokenFromStdin(arg)
	if err != nil {
		return nil, err
	}
	var e explained
	return &e, admin.call(cmd.Context(), http.MethodPost, "/admin/v1/tokens/explain", map[string]any{"token": raw, "method": method, "url": url}, &e)
}

// verdict turns an explanation into the exit code.
func (e *explained) verdict() error {
	switch {
	case e.Accepted:
		return nil
	case e.Reason == "":
		return exitWith(exitRefused, "refused: %s", e.Detail)
	case e.Reason == string(token.ReasonUnavailable):
		return exitWith(exitUnreachable, "nobody can say: %s", e.Detail)
	}
	return exitWith(exitRefused, "refused: %s: %s", e.Reason, e.Detail)
}

func (c *cli) tokenVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify -", Short: "Check a token by the running system, its revocation included: exit code 0 or 1",
		Example: "  tollgate token verify - < token && echo valid", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := c.explain(cmd, args[0], "", "")
			if err != nil {
				return err
			}
			if err := e.verdict(); err != nil {
				return err
			}
			row := make([]string, 0, 4)
			for _, name := range []string{"iss", "sub", "jti", "expires_at"} {
				row = append(row, fmt.Sprint(e.Token[name]))
			}
			return c.print(e.Token, []string{"ISSUER", "SUBJECT", "JTI", "EXPIRES"}, [][]string{row})
		},
	}
}

func (c *cli) tokenExplain() *cobra.Command {
	var method, url string
	cmd := &cobra.Command{
		Use: "explain -", Short: "Say step by step what the running system makes of a token",
		Example: "  tollgate token explain - --url https://shop.example.com/api/orders < token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := c.explain(cmd, args[0], method, url)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, s := range e.Steps {
				rows = append(rows, []string{s.Step, s.Outcome, s.Reason, s.Detail})
			}
			if err := c.print(e, []string{"STEP", "OUTCOME", "REASON", "DETAIL"}, rows); err != nil {
				return err
			}
			return e.verdict()
		},
	}
	cmd.Flags().StringVar(&method, "method", "GET", "method of the request that it is to go with")
	cmd.Flags().StringVar(&url, "url", "", "URL or path of the request (default: no route, the issuer's rules alone)")
	return cmd
}
