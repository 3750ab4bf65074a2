//go:build race

package ring_test

// raceDetector slows everything down tenfold.
const raceDetector = true
