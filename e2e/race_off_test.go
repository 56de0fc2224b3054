//go:build !race

package e2e

// raceDetector tells whether the tests, and so the binary, look for data races.
const raceDetector = false
