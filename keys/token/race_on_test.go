//go:build race

package token_test

// raceDetector allocates by itself.
const raceDetector = true
