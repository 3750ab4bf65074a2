package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// cli is what the commands share.
type cli struct {
	in       io.Reader
	out, err io.Writer
	output   string // table or json
	server   string // base URL of the admin API
}

// run is the program: arguments and streams in, exit code out.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c := &cli{in: &interruptible{from: in, end: ctx.Done()}, out: out, err: errOut}
	err := dashHint(args, c.execute(ctx, args))
	if err != nil {
		fmt.Fprintln(errOut, "tollgate:", err)
	}
	return codeOf(err)
}

func (c *cli) execute(ctx context.Context, args []string) error {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	// Asked for by an argument such as -hoX, which is a value that was taken for flags,
	// help would look like success.
	var unasked error
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if unasked = c.knownOutput(); unasked == nil {
			help(cmd, args)
		}
	})
	return errors.Join(root.ExecuteContext(ctx), unasked)
}

// knownOutput refuses another output format than there is.
func (c *cli) knownOutput() error {
	if c.output != "table" && c.output != "json" {
		return exitWith(exitUsage, "--output is table or json, not %q", c.output)
	}
	return nil
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tollgate",
		Short: "A token gateway: issues JWTs, lets only valid and unrevoked ones through, revokes them everywhere at once",
		Long: `tollgate stands in front of existing back ends as a reverse proxy. It lets through
only requests with a valid, unrevoked JWT and tells the back end who is calling.
It issues and refreshes those tokens, publishes its keys, and revokes tokens
everywhere within milliseconds.

A value that begins with - goes behind a --, after all flags.

Exit codes: 0 done, 1 refused or failed, 2 usage or configuration, 3 cannot reach
server or Redis, 4 not authorised, 5 not found.`,
		Example: `  tollgate dev              # try it: nothing to install, keeps nothing
  tollgate serve            # run it: configured by TOLLGATE_* variables
  tollgate config env       # every variable with its default`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&c.output, "output", "o", "table", "output format: table or json")
	root.PersistentFlags().StringVar(&c.server, "server", "http://127.0.0.1:8081", "base URL of the admin API")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return c.knownOutput() }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitWith(exitUsage, "%w", err) })
	root.AddCommand(c.devCommand(), c.serveCommand(), c.validateCommand(), c.configCommand(), c.routesCommand(), c.usersCommand(), c.clientsCommand(), c.adminTokensCommand(), c.auditCommand(), c.keysCommand(), c.tokenCommand(),
		c.revokeCommand(), c.unrevokeCommand(), c.revocationsCommand(), c.edgesCommand(), c.recoverCommand(), c.sessionsCommand(), c.doctorCommand(), c.healthcheckCommand(), c.versionCommand(), c.completionCommand(), c.manCommand())
	completes(root, "output", "table", "json")
	return root
}

// group is a command that only holds others: without one of them it is a fault.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	var examples []string
	for _, child := range children {
		first, _, _ := strings.Cut(child.Example, "\n")
		examples = append(examples, first)
	}
	g := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs, Example: strings.Join(examples, "\n"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitWith(exitUsage, "%s needs a command", cmd.CommandPath())
		},
	}
	g.AddCommand(children...)
	return g
}
