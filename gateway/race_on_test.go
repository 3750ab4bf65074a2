//go:build race

package gateway

// raceDetector allocates by itself.
const raceDetector = true
