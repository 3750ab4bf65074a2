package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// manCommand writes the manual for who packages the program; it is not in the help.
func (c *cli) manCommand() *cobra.Command {
	var date string
	cmd := &cobra.Command{
		Use: "man DIR", Short: "Write a manual page for each command into a folder", Hidden: true,
		Example: "  tollgate man man1 --date 2026-01-31", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // a manual is for all
				return exitWith(exitUsage, "%w", err)
			}
			return writeManual(cmd.Root(), args[0], date)
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "date on the pages")
	return cmd
}

// writeManual writes the page of a command and of all below it.
func writeManual(cmd *cobra.Command, dir, date string) error {
	if cmd.Hidden || cmd.IsAdditionalHelpTopicCommand() {
		return nil
	}
	file := filepath.Join(dir, manName(cmd)+".1")
	if err := os.WriteFile(file, []byte(manPage(cmd, date)), 0o644); err != nil { //nolint:gosec // a manual is for all
		return exitWith(exitRefused, "%w", err)
	}
	for _, child := range cmd.Commands() {
		if err := writeManual(child, dir, date); err != nil {
			return err
		}
	}
	return nil
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is a page in the man macros, see man(7).
func manPage(cmd *cobra.Command, date string) string {
	var b strings.Builder
	name := manName(cmd)
	fmt.Fprintf(&b, ".TH %q \"1\" %q \"tollgate %s\" \"tollgate\"\n", strings.ToUpper(name), date, version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(long))
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags().FlagUsages())
	manFlags(&b, "GLOBAL OPTIONS", cmd.InheritedFlags().FlagUsages())
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	var also []string
	if cmd.HasParent() {
		also = append(also, manName(cmd.Parent()))
	}
	for _, child := range cmd.Commands() {
		if !child.Hidden {
			also = append(also, manName(child))
		}
	}
	if len(also) > 0 {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(strings.Join(also, " (1),\n.BR ")))
	}
	return b.String()
}

// manFlags writes a section of flags, as the help has them.
func manFlags(b *strings.Builder, title, usages string) {
	if usages != "" {
		fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", title, roff(strings.TrimRight(usages, "\n")))
	}
}

// roff escapes text: a backslash, a hyphen that is to be copied, and a line that
// would begin with a request. Names of pages keep their own macros.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".BR ") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
