// Package echo is a small gRPC service: one call of each kind, with metadata
// before and after the answers. It takes the caller from x-user-id and knows
// nothing of tokens.
package echo
