import type { ChatMessage } from './chat'

/** How to send the same chat from a terminal or a program. The key is never in the text. */
export interface SnippetInput {
  /** Base URL of /v1. */
  base: string
  model: string
  /** What is said; without any, a greeting. */
  messages?: ChatMessage[]
}

function said({ messages }: SnippetInput): ChatMessage[] {
  return messages?.length ? messages : [{ role: 'user', content: 'Say hello.' }]
}

export function curlExample(input: SnippetInput): string {
  const body = JSON.stringify({ model: input.model, messages: said(input), stream: true }, null, 2)
  return [
    `curl ${input.base}/chat/completions \\`,
    `  -H "Authorization: Bearer $POINT_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    // Within single quotes a shell takes everything but the quote itself.
    `  -d '${body.replaceAll("'", `'\\''`).replaceAll('\n', '\n  ')}'`,
  ].join('\n')
}

export function pythonExample(input: SnippetInput): string {
  return [
    'import os',
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url=${JSON.stringify(input.base)}, api_key=os.environ["POINT_KEY"])`,
    'stream = client.chat.completions.create(',
    `    model=${JSON.stringify(input.model)},`,
    '    messages=[',
    ...said(input).map((message) => `        ${JSON.stringify(message)},`),
    '    ],',
    '    stream=True,',
    ')',
    'for chunk in stream:',
    '    if chunk.choices:',
    '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
  ].join('\n')
}

export function typescriptExample(input: SnippetInput): string {
  return [
    "import OpenAI from 'openai'",
    '',
    `const client = new OpenAI({ baseURL: ${JSON.stringify(input.base)}, apiKey: process.env.POINT_KEY })`,
    'const stream = await client.chat.completions.create({',
    `  model: ${JSON.stringify(input.model)},`,
    '  messages: [',
    ...said(input).map((message) => `    ${JSON.stringify(message)},`),
    '  ],',
    '  stream: true,',
    '})',
    "for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '')",
  ].join('\n')
}

const goMessages = { system: 'SystemMessage', user: 'UserMessage', assistant: 'AssistantMessage' }

/** A whole program. What JSON calls a string is one to Go too. */
export function goExample(input: SnippetInput): string {
  return [
    'package main',
    '',
    'import (',
    '\t"context"',
    '\t"fmt"',
    '\t"log"',
    '\t"os"',
    '',
    '\t"github.com/openai/openai-go/v3"',
    '\t"github.com/openai/openai-go/v3/option"',
    ')',
    '',
    'func main() {',
    `\tclient := openai.NewClient(option.WithBaseURL(${JSON.stringify(input.base)}), option.WithAPIKey(os.Getenv("POINT_KEY")))`,
    '\tstream := client.Chat.Completions.NewStreaming(context.Background(), openai.ChatCompletionNewParams{',
    `\t\tModel: ${JSON.stringify(input.model)},`,
    '\t\tMessages: []openai.ChatCompletionMessageParamUnion{',
    ...said(input).map(
      ({ role, content }) => `\t\t\topenai.${goMessages[role]}(${JSON.stringify(content)}),`,
    ),
    '\t\t},',
    '\t})',
    '\tfor stream.Next() {',
    '\t\tif choices := stream.Current().Choices; len(choices) > 0 {',
    '\t\t\tfmt.Print(choices[0].Delta.Content)',
    '\t\t}',
    '\t}',
    '\tif err := stream.Err(); err != nil {',
    '\t\tlog.Fatal(err)',
    '\t}',
    '}',
  ].join('\n')
}
