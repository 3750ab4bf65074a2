//go:build !nightly

package table_test

const nightly = false
