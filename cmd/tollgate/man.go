package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// manCommand writes one manual page for each command. Packagers need it, and nobody
// else: it is not listed.
func (c *cli) manCommand() *cobra.Command {
	var date string
	cmd := &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages into a directory", Example: "  tollgate man bin/man", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return exitWith(exitRefused, "%w", err)
			}
			all := visible(cmd.Root())
			for _, one := range all {
				path := filepath.Join(args[0], manName(one)+".1")
				if err := os.WriteFile(path, []byte(manPage(one, date)), 0o644); err != nil { //nolint:gosec // as above
					return exitWith(exitRefused, "%w", err)
				}
			}
			fmt.Fprintf(c.err, "%d pages in %s\n", len(all), args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "date on the pages")
	return cmd
}

// visible returns a command and all under it that a user is shown, each before those
// under it. The word help is none of ours.
func visible(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		if !child.Hidden && child.Name() != "help" {
			all = append(all, visible(child)...)
		}
	}
	return all
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is a command as man(7) wants it, with a date that may be empty.
func manPage(cmd *cobra.Command, date string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %q \"tollgate\" \"tollgate manual\"\n", roff(strings.ToUpper(manName(cmd))), date)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(manName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	if cmd.Long != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(cmd.Long))
	}
	for _, group := range []struct{ title, usages string }{
		{"OPTIONS", cmd.NonInheritedFlags().FlagUsages()}, {"GLOBAL OPTIONS", cmd.InheritedFlags().FlagUsages()},
	} {
		if group.usages != "" {
			fmt.Fprintf(&b, ".SH %s\n.nf\n%s\n.fi\n", group.title, roff(strings.TrimRight(group.usages, "\n")))
		}
	}
	fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	b.WriteString(".SH EXIT STATUS\n0 done, 1 refused or failed, 2 usage or configuration, 3 cannot reach server or Redis,\n4 not authorised, 5 not found.\n")
	var also []string
	if cmd.HasParent() {
		also = append(also, manName(cmd.Parent()))
	}
	for _, child := range cmd.Commands() {
		if !child.Hidden && child.Name() != "help" {
			also = append(also, manName(child))
		}
	}
	for i, name := range also {
		also[i] = ".BR " + roff(name) + " (1)"
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", strings.Join(also, "\n"))
	return b.String()
}

// roff takes their meaning from the characters that begin a request of roff's, and
// writes those that are not ASCII by their number: not every roff reads UTF-8.
func roff(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case (r == '.' || r == '\'') && (i == 0 || text[i-1] == '\n'):
			b.WriteString(`\&` + string(r))
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
