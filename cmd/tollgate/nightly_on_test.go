//go:build nightly

package main

// nightly: full counts, gigabytes and thousands of sockets (make nightly).
const nightly = true
