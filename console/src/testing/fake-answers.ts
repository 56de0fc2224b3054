import type { components } from '~/lib/api.gen'
import type { Provider, RequestRecord, StatsBucket } from '~/lib/schema'
import { fakeId } from './fake-requests'

type Schemas = components['schemas']

export function masked(config: Provider['config']): Provider['config'] {
  const { api_key: secret } = config
  return typeof secret === 'string' && !secret.startsWith('***')
    ? { ...config, api_key: `***${secret.slice(-4)}` }
    : config
}

export function matchesQuery(one: RequestRecord, query: URLSearchParams): boolean {
  const status = query.get('status')
  const is = (name: string, value: string) => !query.get(name) || query.get(name) === value
  return (
    is('provider', one.provider) &&
    is('endpoint', one.endpoint) &&
    is('outcome', one.outcome) &&
    is('model', one.model) &&
    is('key', one.key_id) &&
    (!status || (status.endsWith('xx') ? String(one.status)[0] === status[0] : String(one.status) === status))
  )
}

export function bucketOf(
  all: RequestRecord[],
  from: number,
  to: number,
  group: Record<string, string>,
  names?: Record<string, string>,
): StatsBucket {
  const rows = all.filter((one) => Date.parse(one.timestamp) >= from && Date.parse(one.timestamp) < to)
  const sum = (value: (one: RequestRecord) => number) => rows.reduce((total, one) => total + value(one), 0)
  const rank = (values: number[]) => (q: number) =>
    values.sort((a, b) => a - b)[Math.floor(q * values.length)] ?? null
  const latency = rank(rows.map((one) => one.response_time))
  const ttft = rank(rows.flatMap((one) => one.ttft ?? []))
  return {
    start: new Date(from).toISOString(),
    group,
    ...(names ? { names } : {}),
    requests: rows.length,
    errors: rows.filter((one) => one.outcome !== 'complete').length,
    refused: rows.filter((one) => one.outcome === 'rejected').length,
    tokens_input: sum((one) => one.tokens_input ?? 0),
    tokens_output: sum((one) => one.tokens_output ?? 0),
    cost: sum((one) => Number(one.cost ?? 0)).toFixed(9),
    unpriced: rows.filter((one) => one.cost === null && one.outcome === 'complete').length,
    cache_hits: 0,
    latency: { p50: latency(0.5), p95: latency(0.95), p99: latency(0.99) },
    ttft: { p50: ttft(0.5), p95: ttft(0.95), p99: ttft(0.99) },
  }
}

export function recordOf(id: string, model: string, now: number): RequestRecord {
  return {
    id,
    timestamp: new Date(now).toISOString(),
    endpoint: '/v1/chat/completions',
    provider_id: fakeId(1),
    provider: 'demo-openai',
    model,
    upstream_model: model,
    key_id: fakeId(201),
    key: 'Playground',
    status: 200,
    outcome: 'complete',
    test: false,
    response_time: 420,
    ttft: 120,
    overhead_us: 310,
    stream: true,
    cache_hit: false,
    tokens_input: 12,
    tokens_output: 9,
    cost: '0.0000072',
    attempts: [
      { provider_id: fakeId(1), provider: 'demo-openai', model, start_ms: 1, duration_ms: 119, status: 200 },
    ],
    route: { strategy: 'priority', reason: 'The only provider that has it.' },
    request: { model, stream: true, messages: 1 },
    response: { finish_reason: 'stop' },
  }
}

export function chatStream(answer: string, cut: boolean): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const words = answer.split(/(?<= )/)
  const events = [
    ...words.map((content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
    ...(cut
      ? [{ error: { message: 'The provider broke off.', code: 'stream_truncated' } }]
      : [
          { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
          {
            choices: [],
            usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21, cost: 0.0000072 },
          },
        ]),
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`)
  if (!cut) events.push('data: [DONE]\n\n')
  return new ReadableStream({
    async pull(controller) {
      const event = events.shift()
      if (event === undefined) return controller.close()
      await new Promise((resolve) => setTimeout(resolve, 15))
      controller.enqueue(encoder.encode(event))
    },
  })
}

export function json(body: unknown, status = 200, version?: number): Response {
  return Response.json(body, { status, headers: version ? { etag: `"${version}"` } : {} })
}

/** A list; unlisted is how many more there are than it hands over. */
export function list(data: unknown[], unlisted = 0): Response {
  const total = data.length + unlisted
  return json({ data, page: 1, limit: data.length, total, more: unlisted > 0, cursor: '' })
}

export function problem(status: number, detail: string, errors?: Schemas['ProblemField'][]): Response {
  return Response.json(
    { type: 'about:blank', title: 'Not done', status, detail, errors },
    { status, headers: { 'content-type': 'application/problem+json' } },
  )
}

export function stale(thing: string): Response {
  return problem(
    412,
    `Somebody else changed this ${thing} meanwhile. Read it again, and repeat your change on what it is now.`,
  )
}
