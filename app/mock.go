package app

import (
	"fmt"
	"time"

	"point/mock"
)

type mockCommand struct {
	Address    string        `default:"127.0.0.1:8081" help:"Address to serve the simulated services on."`
	Latency    time.Duration `help:"Wait before the first byte of an answer."`
	TokenDelay time.Duration `help:"Wait before each further event of a stream."`
	Seed       uint64        `help:"Varies ids, embeddings and images."`
	Strict     bool          `help:"Answer 404 to models that a service's list does not have."`
}

func (c mockCommand) Run(r *invocation) error {
	server := mock.New(mock.Options{
		Seed:         c.Seed,
		Latency:      c.Latency,
		TokenDelay:   c.TokenDelay,
		StrictModels: c.Strict,
	})
	base, stop, err := server.Start(r.ctx, c.Address)
	if err != nil {
		return fmt.Errorf("the simulated services cannot listen on %s: %w (choose another --address)", c.Address, err)
	}
	defer stop()
	fmt.Fprintf(r.Stdout, "Simulated AI services (any key works):\n"+
		"  openai     %[1]s/openai/v1\n  anthropic  %[1]s/anthropic\n  gemini     %[1]s/gemini\n"+
		"  bedrock    %[1]s/bedrock\n  cohere     %[1]s/cohere\n", base)
	<-r.ctx.Done()
	return nil
}
