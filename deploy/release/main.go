package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	var r release
	var unix int64
	var platforms string
	flag.StringVar(&r.version, "version", "dev", "what the program calls itself")
	flag.StringVar(&r.out, "out", "dist", "folder that is written, and emptied before")
	flag.StringVar(&r.source, "source", ".", "root of the sources")
	flag.StringVar(&platforms, "platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64", "what it is built for")
	flag.Int64Var(&unix, "time", 0, "date of everything that is written, in seconds since 1970: that of the commit")
	flag.Parse()
	r.date = time.Unix(unix, 0).UTC()
	r.platforms = strings.Split(platforms, ",")
	if err := r.run(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
