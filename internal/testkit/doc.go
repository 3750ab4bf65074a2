// Package testkit holds what tests of several packages need: a real
// redis-server on a free port, a Redis Cluster and Sentinels of such, a miniredis whose keys expire, a Redis proxy that
// can be cut. Only _test.go files import it.
package testkit
