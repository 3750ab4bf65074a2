package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// edgeCount is how many edges have applied a revocation.
type edgeCount struct {
	Live    int  `json:"live"`
	Applied int  `json:"applied"`
	Unknown bool `json:"unknown,omitempty"`
}

type edgeItem struct {
	Name        string     `json:"name"`
	Version     string     `json:"version"`
	Since       *time.Time `json:"since"`
	Live        bool       `json:"live"`
	N           uint64     `json:"n"`
	Epoch       string     `json:"epoch"`
	Lag         uint64     `json:"lag"`
	Stale       string     `json:"stale"`
	Entries     int        `json:"entries"`
	KeySet      string     `json:"key_set"`
	Routes      string     `json:"routes"`
	ClosesAfter string     `json:"closes_after"`
	Heard       *time.Time `json:"heard"`
}

func (c *cli) edgesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "edges", Short: "List the processes that follow the revocations, and how far each is",
		Example: "  tollgate edges\n  tollgate edges -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			all, err := list[edgeItem](cmd.Context(), admin, "/admin/v1/edges", nil)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, e := range all {
				rows = append(rows, []string{
					e.Name, e.state(), strconv.FormatUint(e.N, 10), strconv.FormatUint(e.Lag, 10), e.Stale, strconv.Itoa(e.Entries),
					e.ClosesAfter, e.KeySet, e.Routes, when(e.Heard), when(e.Since), e.Version,
				})
			}
			return c.print(all, []string{"NAME", "STATE", "N", "LAG", "STALE", "ENTRIES", "CLOSES AFTER", "KEY SET", "ROUTES", "HEARD", "SINCE", "VERSION"}, rows)
		},
	}
}

func (e edgeItem) state() string {
	switch {
	case !e.Live:
		return "silent"
	case e.Epoch == "":
		return "loading"
	}
	return "live"
}

// tellEdges says beside the data how far a revocation has come.
func (c *cli) tellEdges(n *edgeCount) {
	switch {
	case n == nil || n.Unknown:
		fmt.Fprintln(c.err, "It stands; how many edges have applied it is not known.")
	case n.Applied < n.Live:
		fmt.Fprintf(c.err, "It stands; %d of %d edges have applied it so far.\n", n.Applied, n.Live)
	default:
		fmt.Fprintf(c.err, "Applied by every edge (%d).\n", n.Live)
	}
}
