package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) configCommand() *cobra.Command {
	return group("config", "Look at the settings", c.configPrint(), c.configEnv())
}

func (c *cli) configEnv() *cobra.Command {
	return &cobra.Command{
		Use: "env", Short: "Print every variable with its default and meaning",
		Example: "  tollgate config env", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.output == "json" {
				return c.print(envItems(), nil, nil)
			}
			return writeEnvTable(c.out)
		},
	}
}

type envItem struct {
	Name    string `json:"name"`
	Group   string `json:"group"`
	Default string `json:"default"`
	Meaning string `json:"meaning"`
	Secret  bool   `json:"secret"`
}

func envItems() []envItem {
	var out []envItem
	for _, v := range variablesOf(&Config{}) {
		out = append(out, envItem{v.name, v.group, v.tag.Get("default"), v.tag.Get("desc"), v.secret()})
	}
	return out
}

// devWarning stands wherever the program runs on an embedded Redis.
func devWarning(w interface{ Write([]byte) (int, error) }) {
	fmt.Fprint(w, `
  ****************************************************************
  *  DEV MODE: everything is kept in memory and lost at the end. *
  *  Loopback only. Not for production.                          *
  ****************************************************************

`)
}
