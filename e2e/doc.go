// Package e2e runs Point as its users do: the real binary, on a port of its own, with the
// simulated AI services as providers.
//
// testdata/*.txtar are stories of the command line. sdk_test.go is OpenAI's Go client,
// sdk-js OpenAI's npm client. The other tests are what one process cannot see of itself:
// being killed, bad input from outside, a full start and stop.
//
// The package imports app for one reason: the go command then runs the tests again whenever
// anything in the binary changed.
package e2e
