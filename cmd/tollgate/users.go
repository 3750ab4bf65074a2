package main

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// userItem is a user of the admin API.
type userItem struct {
	ID          string         `json:"id"`
	Username    string         `json:"username"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsActive    bool           `json:"is_active"`
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	MustChange  bool           `json:"must_change_password"`
	CreatedAt   *time.Time     `json:"created_at"`
	LastLogin   *time.Time     `json:"last_login"`
}

func (c *cli) usersCommand() *cobra.Command {
	return group("users", "Keep the users who may log in", c.usersAdd(), c.usersPasswd(), c.usersUpdate(), c.usersDisable(), c.usersEnable(),
		c.usersList(), c.usersRemove(), c.usersImport())
}

func (c *cli) usersAdd() *cobra.Command {
	var id, email string
	var attributes []string
	var fromStdin, staff, superuser, disabled bool
	cmd := &cobra.Command{
		Use:     "add NAME --password-stdin",
		Short:   "Add a user",
		Example: `  printf '%s' "$PASSWORD" | tollgate users add ada --password-stdin --email ada@example.com --attr tenant=acme`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !fromStdin {
				return exitWith(exitUsage, "give the password on standard input and say --password-stdin")
			}
			body := map[string]any{"username": args[0], "is_active": !disabled, "is_staff": staff, "is_superuser": superuser}
			extra, err := attributesOf(attributes)
			if err != nil {
				return err
			}
			body["attributes"] = extra
			if id != "" {
				body["id"] = id
			}
			if email != "" {
				body["email"] = email
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if body["password"], err = c.secretFromStdin("password"); err != nil {
				return err
			}
			var u userItem
			if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/users", body, &u); err != nil {
				return err
			}
			return c.printUsers(u, []userItem{u})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	f.StringVar(&id, "id", "", "the user's id (default: the next number)")
	f.StringVar(&email, "email", "", "e-mail address")
	f.StringArrayVar(&attributes, "attr", nil, "an attribute NAME=VALUE, for claims; may be repeated")
	f.BoolVar(&staff, "staff", false, "is_staff")
	f.BoolVar(&superuser, "superuser", false, "is_superuser")
	f.BoolVar(&disabled, "disabled", false, "not active: may not log in")
	return cmd
}

// attributesOf reads the values of --attr.
func attributesOf(pairs []string) (map[string]any, error) {
	out := map[string]any{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, exitWith(exitUsage, "--attr is NAME=VALUE, not %q", pair)
		}
		out[name] = value
	}
	return out, nil
}

func (c *cli) usersList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users", Example: "  tollgate users list -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			all, err := list[userItem](cmd.Context(), admin, "/admin/v1/users", url.Values{})
			if err != nil {
				return err
			}
			return c.printUsers(all, all)
		},
	}
}

func (c *cli) printUsers(asJSON any, all []userItem) error {
	var rows [][]string
	for _, u := range all {
		var flags []string
		for _, f := range []struct {
			on   bool
			name string
		}{{!u.IsActive, "disabled"}, {u.IsStaff, "staff"}, {u.IsSuperuser, "superuser"}, {u.MustChange, "must-change"}} {
			if f.on {
				flags = append(flags, f.name)
			}
		}
		rows = append(rows, []string{u.ID, u.Username, u.Email, strings.Join(flags, " "), when(u.CreatedAt), when(u.LastLogin)})
	}
	return c.print(asJSON, []string{"ID", "USERNAME", "EMAIL", "FLAGS", "CREATED", "LAST LOGIN"}, rows)
}
