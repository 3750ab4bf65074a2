// Command whoami is a back end behind tollgate that believes the gateway's header. It
// knows nothing of tokens and imports nothing of tollgate's.
package main
