/** How to send the same chat from a terminal or a program. The key is never in the text. */
export interface SnippetInput {
  /** Base URL of /v1. */
  base: string
  model: string
  system?: string
  user?: string
}

function messages({ system, user }: SnippetInput): { role: string; content: string }[] {
  const said = { role: 'user', content: user || 'Say hello.' }
  return system ? [{ role: 'system', content: system }, said] : [said]
}

export function curlExample(input: SnippetInput): string {
  const body = JSON.stringify({ model: input.model, messages: messages(input), stream: true }, null, 2)
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
    'answer = client.chat.completions.create(',
    `    model=${JSON.stringify(input.model)},`,
    `    messages=${JSON.stringify(messages(input))},`,
    ')',
    'print(answer.choices[0].message.content)',
  ].join('\n')
}

export function typescriptExample(input: SnippetInput): string {
  return [
    "import OpenAI from 'openai'",
    '',
    `const client = new OpenAI({ baseURL: ${JSON.stringify(input.base)}, apiKey: process.env.POINT_KEY })`,
    'const stream = await client.chat.completions.create({',
    `  model: ${JSON.stringify(input.model)},`,
    `  messages: ${JSON.stringify(messages(input))},`,
    '  stream: true,',
    '})',
    "for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '')",
  ].join('\n')
}
