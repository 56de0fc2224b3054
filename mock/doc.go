// Package mock simulates AI services: OpenAI, Anthropic, Gemini, Amazon Bedrock and Cohere,
// as far as Point talks to them. It is the upstream of demo mode, of tests and of the benchmarks.
//
// A request goes through four steps, each in its own file:
//
//	decode   openai.go, anthropic.go, ...         the service's request -> a prompt
//	think    think.go                             the prompt -> an answer, always the same one
//	encode   *_reply.go                           the answer -> a document or stream frames
//	deliver  deliver.go                           frames -> bytes, bent by the faults asked for
//
// Requests are checked as strictly as the real services do where gateways tend to go wrong:
// tool results must answer tool calls, signed thinking must come back unchanged, schemas may
// hold only what the service knows.
//
// Base URLs, as the services' own SDKs take them: http://HOST/openai/v1, http://HOST/anthropic,
// http://HOST/gemini, http://HOST/bedrock and http://HOST/cohere. docs/mock.md lists the faults and how to ask for them.
package mock
