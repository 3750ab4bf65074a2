package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// changeUser sends a change and shows the user as it is then.
func (c *cli) changeUser(cmd *cobra.Command, name string, change map[string]any) error {
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var u userItem
	if err := admin.call(cmd.Context(), http.MethodPatch, "/admin/v1/users/"+url.PathEscape(name), change, &u); err != nil {
		return err
	}
	return c.printUsers(u, []userItem{u})
}

func (c *cli) usersPasswd() *cobra.Command {
	var fromStdin, mustChange bool
	cmd := &cobra.Command{
		Use: "passwd NAME --password-stdin", Short: "Set a user's password and end the sessions that stand",
		Long: `Set a user's password and end the sessions that stand.
With --must-change the password is for once: a log-in with it is refused with the
code password_change_required until it was changed. --must-change without
--password-stdin asks that of the password that the user has.`,
		Example: `  printf '%s' "$PASSWORD" | tollgate users passwd ada --password-stdin` + "\n  tollgate users passwd ada --must-change",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !fromStdin && !mustChange {
				return exitWith(exitUsage, "give the password on standard input and say --password-stdin")
			}
			change := map[string]any{"must_change_password": mustChange}
			if fromStdin {
				password, err := c.secretFromStdin("password")
				if err != nil {
					return err
				}
				change["password"] = password
			}
			return c.changeUser(cmd, args[0], change)
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().BoolVar(&mustChange, "must-change", false, "the user has to change it before logging in")
	return cmd
}

func (c *cli) usersUpdate() *cobra.Command {
	var email string
	var attributes []string
	var staff, superuser, end bool
	cmd := &cobra.Command{
		Use: "update NAME", Short: "Change a user's e-mail address, attributes or flags",
		Long: `Change a user's e-mail address, attributes or flags; what is not named stays.
Attributes are replaced all together. Sessions that stand carry the change from
their next refresh on; --end-sessions ends them.`,
		Example: "  tollgate users update ada --email ada@example.com --staff=false --end-sessions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := map[string]any{}
			flags := cmd.Flags()
			for name, value := range map[string]any{"email": email, "staff": staff, "superuser": superuser, "end-sessions": end} {
				if flags.Changed(name) {
					member := map[string]string{"email": "email", "staff": "is_staff", "superuser": "is_superuser", "end-sessions": "end_sessions"}[name]
					change[member] = value
				}
			}
			if flags.Changed("attr") {
				extra, err := attributesOf(attributes)
				if err != nil {
					return err
				}
				change["attributes"] = extra
			}
			if len(change) == 0 {
				return exitWith(exitUsage, "say what to change: --email, --attr, --staff, --superuser or --end-sessions")
			}
			return c.changeUser(cmd, args[0], change)
		},
	}
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "e-mail address")
	f.StringArrayVar(&attributes, "attr", nil, "an attribute NAME=VALUE, for claims; may be repeated")
	f.BoolVar(&staff, "staff", false, "is_staff")
	f.BoolVar(&superuser, "superuser", false, "is_superuser")
	f.BoolVar(&end, "end-sessions", false, "end the sessions that stand")
	return cmd
}

func (c *cli) usersDisable() *cobra.Command {
	cmd := &cobra.Command{
		Use: "disable NAME", Short: "Keep a user from logging in and end the sessions that stand",
		Example: "  tollgate users disable ada", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.changeUser(cmd, args[0], map[string]any{"is_active": false})
		},
	}
	// It can be taken back, so nothing is asked; scripts that say yes are welcome.
	cmd.Flags().Bool("yes", false, "nothing is asked; for the sake of scripts")
	return cmd
}

func (c *cli) usersEnable() *cobra.Command {
	return &cobra.Command{
		Use: "enable NAME", Short: "Let a user log in again", Example: "  tollgate users enable ada", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.changeUser(cmd, args[0], map[string]any{"is_active": true})
		},
	}
}

func (c *cli) usersRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Remove a user for good and end the sessions that stand",
		Example: "  tollgate users remove ada --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if err := c.confirm(yes, "This user will be removed for good, and every session of the user will end."); err != nil {
				return err
			}
			return admin.call(cmd.Context(), http.MethodDelete, "/admin/v1/users/"+url.PathEscape(args[0]), nil, nil)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}
