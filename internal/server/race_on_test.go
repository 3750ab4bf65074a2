//go:build race

package server_test

// raceDetector allocates by itself.
const raceDetector = true
