// Package contract compares what goes over the wire with an OpenAPI 3.1 document:
// every request that was taken and every answer is described there, whole. A path,
// method, status, media type, header or member that is not described is a fault, and so
// is a required one that is missing.
//
// It must not know what the API is about. Only _test.go files and the test kit import
// it.
package contract
