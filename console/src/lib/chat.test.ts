import { expect, test, vi } from 'vitest'
import { type ChatFacts, streamChat } from './chat'

/** Runs a chat over an answer that is given whole, and collects what it hands over. */
async function run(answer: Response) {
  vi.stubGlobal('fetch', async () => answer)
  let text = ''
  let reasoning = ''
  let facts: ChatFacts = {}
  const result = await streamChat({
    key: 'k',
    model: 'm',
    messages: [],
    signal: new AbortController().signal,
    onText: (piece, isReasoning) => {
      if (isReasoning) reasoning += piece
      else text += piece
    },
    onFacts: (more) => {
      facts = { ...facts, ...more }
    },
    now: () => 5,
  }).catch((error: Error) => error.message)
  return { text, reasoning, facts, result }
}

const headers = { 'x-point-provider': 'demo', 'x-point-attempts': '2' }

test('a whole answer', async () => {
  const body = [
    '{"choices":[{"delta":{"role":"assistant","content":""}}]}',
    '{"choices":[{"delta":{"reasoning_content":"hm"}}]}',
    '{"choices":[{"delta":{"content":"Hel"}}]}',
    '{"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}',
    '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"cost":0.001}}',
    '[DONE]',
  ]
  const got = await run(new Response(body.map((data) => `data: ${data}\n\n`).join(''), { headers }))
  expect(got).toMatchObject({ text: 'Hello', reasoning: 'hm', result: undefined })
  expect(got.facts).toMatchObject({
    provider: 'demo',
    attempts: 2,
    tokensInput: 3,
    tokensOutput: 2,
    cost: 0.001,
    finish: 'stop',
    ttft: 0,
  })
})

test('an unknown cost is null, not nothing', async () => {
  const got = await run(
    new Response(
      'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    ),
  )
  expect(got.facts.cost).toBeNull()
})

test.each([
  [
    'a stream without its end',
    new Response('data: {"choices":[{"delta":{"content":"Hal"}}]}\n\n'),
    'The stream ended before the answer was whole.',
  ],
  [
    'an error in the stream',
    new Response('event: error\ndata: {"error":{"message":"Gone.","code":"x"}}\n\n'),
    'Gone.',
  ],
  [
    'an error before it',
    Response.json({ error: { message: 'No such model.' } }, { status: 404 }),
    'No such model.',
  ],
  [
    'an HTML page of a proxy',
    new Response('<h1>Bad gateway</h1>', { status: 502 }),
    'A proxy answered instead of Point. Check that Point is running.',
  ],
  ['an event that is no JSON', new Response('data: oops\n\n'), 'The answer held an event that is not JSON.'],
])('%s', async (_, answer, want) => {
  expect((await run(answer)).result).toBe(want)
})
