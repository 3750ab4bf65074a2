// Command client calls the echo service with an access token from ACCESS in the
// environment:
//
//	client [flags] say TEXT    one call
//	client [flags] count N     N answers; 0: no end
//	client [flags] chat        lines of standard input, each answered
//
// It prints one JSON object a line: the metadata before, each message, and the
// status with the metadata behind it. The exit code is 0 whatever the status is.
package main
