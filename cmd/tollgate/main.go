package main

import "os"

// version is set by the linker: -X main.version=v1.2.3.
var version = "devel"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
