import { expect, test } from 'vitest'
import { curlExample, goExample, pythonExample, typescriptExample } from './snippets'

const makers = { curl: curlExample, Python: pythonExample, TypeScript: typescriptExample, Go: goExample }
const messages = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: 'Who are "you"?' },
  { role: 'assistant' as const, content: 'A model.' },
  { role: 'user' as const, content: "It's late.\nGood night" },
]

test.each(Object.entries(makers))('%s streams the whole conversation', (_, make) => {
  const code = make({ base: 'http://127.0.0.1:8080/v1', model: 'gpt-4o-mini', messages })
  expect(code).toMatch(/stream/i)
  for (const part of ['Be brief.', String.raw`Who are \"you\"?`, 'A model.', String.raw`late.\nGood night`])
    expect(code).toContain(part)
})

test('a quote in the text ends no argument of the shell', () => {
  expect(curlExample({ base: 'http://x/v1', model: 'm', messages })).toContain(String.raw`It'\''s late`)
})

test('Go says each message by its role', () => {
  const code = goExample({ base: 'http://x/v1', model: 'm', messages })
  expect(code.match(/openai\.(\w+)Message\(/g)).toEqual([
    'openai.SystemMessage(',
    'openai.UserMessage(',
    'openai.AssistantMessage(',
    'openai.UserMessage(',
  ])
})
