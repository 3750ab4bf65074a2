// Package testkit holds what tests of several packages need: a real redis-server on a
// free port, a Redis Cluster and Sentinels of such, a miniredis whose keys expire, a
// TCP proxy with the faults of a network, a Redis client that is cut off; a wait for
// what is about to hold, and a log that is read while it is written.
//
// It knows no package of tollgate. Only _test.go files and the kits below it import it.
package testkit
