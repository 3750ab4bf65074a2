package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	maxImportBytes = 1 << 30
	batchUsers     = 200       // what the admin API takes at once
	batchBytes     = 768 << 10 // likewise, with room
	shownFaults    = 100
)

func (c *cli) usersImport() *cobra.Command {
	var model string
	var update, dryRun bool
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Import users, from Django's dumpdata or lines of JSON",
		Long: `Import users, from the JSON of Django's dumpdata (an array, or --format jsonl) or
from lines of JSON with the members id, username, email, password_hash, attributes,
is_active, is_staff, is_superuser, must_change_password and last_login.

The id is the primary key. Passwords keep working: their hashes are taken as they
are and made anew at the next log-in. Hashes of md5, sha1 and crypt are not taken;
those users come without a password and are listed.

Everything is checked before anything is written: with a fault in any row nothing
is. Users who are there already are skipped, or with --update changed, but for their
password. --dry-run stops after the check.`,
		Example: "  python manage.py dumpdata auth.user auth.group | tollgate users import -\n  tollgate users import users.json --model accounts.user --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			data, err := c.readImport(args[0])
			if err != nil {
				return err
			}
			i := &userImport{cli: c, admin: admin, update: update, dump: readDump(data, model)}
			return i.run(cmd.Context(), model, dryRun)
		},
	}
	cmd.Flags().StringVar(&model, "model", "auth.user", "the model that is the user's, as app.model")
	cmd.Flags().BoolVar(&update, "update", false, "change users who are there already, but for their password")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check only, write nothing")
	return cmd
}

func (c *cli) readImport(name string) ([]byte, error) {
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, exitWith(exitUsage, "%w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxImportBytes+1))
	switch {
	case err != nil:
		return nil, exitWith(exitUsage, "read the users: %w", err)
	case len(data) > maxImportBytes:
		return nil, exitWith(exitUsage, "the file is longer than 1 GiB: split it")
	}
	return data, nil
}

// userImport is one import: what was read, and what came of it.
type userImport struct {
	cli    *cli
	admin  *adminClient
	update bool
	dump   *dump
	total  importReport
}

// importReport is what an import says at its end.
type importReport struct {
	Created  int      `json:"created"`
	Updated  int      `json:"updated"`
	Skipped  int      `json:"skipped"`
	Refused  []string `json:"refused"`
	NoHash   []string `json:"password_not_taken"`
	Unusable int      `json:"without_password"`
	DryRun   bool     `json:"dry_run"`
}

func (i *userImport) run(ctx context.Context, model string, dryRun bool) error {
	d := i.dump
	if len(d.faults) > 0 {
		return i.refuse(d.faults)
	}
	if len(d.users) == 0 {
		return exitWith(exitRefused, "there are no users of the model %s in it, and %d rows of others (--model)", model, d.others)
	}
	if err := i.pass(ctx, true); err != nil {
		return err
	}
	if len(i.total.Refused) > 0 {
		return i.refuse(i.total.Refused)
	}
	if !dryRun {
		if err := i.pass(ctx, false); err != nil {
			return err
		}
	}
	return i.report(dryRun)
}

// pass sends every user, to be checked or to be written.
func (i *userImport) pass(ctx context.Context, dryRun bool) error {
	i.total = importReport{Refused: []string{}}
	told := time.Now()
	for done := 0; done < len(i.dump.users); {
		batch := nextBatch(i.dump.users[done:])
		var answer struct {
			Created, Updated, Skipped int
			EmailsUnique              bool `json:"emails_unique"`
			Refused                   []struct {
				Index  int
				Detail string
			}
		}
		body := map[string]any{"users": batch, "update": i.update, "dry_run": dryRun}
		if err := i.admin.call(ctx, http.MethodPost, "/admin/v1/user-imports", body, &answer); err != nil {
			if !dryRun {
				fmt.Fprintf(i.cli.err, "%d of %d users were written; importing again goes on with the rest\n", done, len(i.dump.users))
			}
			return err
		}
		if dryRun && done == 0 && answer.EmailsUnique {
			i.total.Refused = append(i.total.Refused, i.dump.sharedEmails()...)
		}
		i.total.Created += answer.Created
		i.total.Updated += answer.Updated
		i.total.Skipped += answer.Skipped
		for _, r := range answer.Refused {
			if r.Index >= 0 && r.Index < len(batch) {
				i.total.Refused = append(i.total.Refused, batch[r.Index].where+": "+r.Detail)
			}
		}
		done += len(batch)
		if time.Since(told) > time.Second {
			told = time.Now()
			verb := map[bool]string{true: "checked", false: "written"}[dryRun]
			fmt.Fprintf(i.cli.err, "%s %d of %d\n", verb, done, len(i.dump.users))
		}
	}
	return nil
}

// nextBatch takes as many users as one request may have.
func nextBatch(rest []importUser) []importUser {
	size := 0
	for n, u := range rest {
		text, err := json.Marshal(u)
		if err == nil {
			size += len(text) + 1
		}
		if n == batchUsers || n > 0 && size > batchBytes {
			return rest[:n]
		}
	}
	return rest
}

func (i *userImport) refuse(faults []string) error {
	shown := faults[:min(len(faults), shownFaults)]
	more := ""
	if n := len(faults) - len(shown); n > 0 {
		more = fmt.Sprintf("\n  and %d more", n)
	}
	return exitWith(exitRefused, "nothing was written: %d rows cannot be taken:\n  %s%s", len(faults), strings.Join(shown, "\n  "), more)
}

func (i *userImport) report(dryRun bool) error {
	t := &i.total
	t.NoHash, t.Unusable, t.DryRun = i.dump.noHash, i.dump.unusable, dryRun
	if t.NoHash == nil {
		t.NoHash = []string{}
	}
	if len(t.NoHash) > 0 {
		fmt.Fprintf(i.cli.err, "warning: the passwords of %d users are in a form that is not taken (md5, sha1, crypt or unknown): they need a new one (tollgate users passwd):\n  %s\n",
			len(t.NoHash), strings.Join(t.NoHash[:min(len(t.NoHash), shownFaults)], "\n  "))
	}
	state := "written"
	if dryRun {
		state = "checked only"
	}
	row := []string{fmt.Sprint(t.Created), fmt.Sprint(t.Updated), fmt.Sprint(t.Skipped), fmt.Sprint(t.Unusable), fmt.Sprint(len(t.NoHash)), state}
	if err := i.cli.print(t, []string{"CREATED", "UPDATED", "SKIPPED", "WITHOUT PASSWORD", "PASSWORD NOT TAKEN", "STATE"}, [][]string{row}); err != nil {
		return err
	}
	if len(t.Refused) > 0 { // somebody else wrote meanwhile
		return exitWith(exitRefused, "%d users were refused after all:\n  %s", len(t.Refused), strings.Join(t.Refused[:min(len(t.Refused), shownFaults)], "\n  "))
	}
	return nil
}
