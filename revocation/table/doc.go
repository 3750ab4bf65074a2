// Package table holds digests with expiries, exactly, for readers that must not wait
// for writers. It knows nothing of what a digest names, nor of any clock.
package table
