package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionOf() versionInfo {
	v := versionInfo{Version: version, Revision: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  tollgate version -o json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionOf()
			if c.output == "json" {
				return c.print(v, nil, nil)
			}
			_, err := fmt.Fprintf(c.out, "tollgate %s (%s, %s, %s)\n", v.Version, v.Revision, v.Go, v.Platform)
			return err
		},
	}
}
