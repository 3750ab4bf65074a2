// Command server serves the echo service without TLS: it stands behind a gateway
// on the same machine.
package main
