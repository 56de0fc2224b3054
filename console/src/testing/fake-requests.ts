import type { Provider, RequestRecord } from '~/lib/schema'

const minute = 60_000

export function fakeId(n: number): string {
  return `01939f00-0000-7000-8000-${String(n).padStart(12, '0')}`
}

/** Requests of the last day, denser towards now, the same at every run. */
export function seedRequests(now: number, providers: Provider[]): RequestRecord[] {
  const random = generator(7)
  const list: RequestRecord[] = []
  for (let n = 0; n < 260; n++) {
    const age = Math.floor(random() ** 1.6 * 24 * 60 * minute)
    const failed = random() < 0.07
    const provider = providers[Math.floor(random() * 3)]
    if (provider) list.push(request(now - age, 1000 + n, provider, failed, random))
  }
  return list.sort((a, b) => b.timestamp.localeCompare(a.timestamp))
}

const asked: Record<string, string> = {
  openai: 'gpt-4o-mini',
  anthropic: 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
}

function request(
  at: number,
  n: number,
  provider: Provider,
  failed: boolean,
  random: () => number,
): RequestRecord {
  const name = asked[provider.provider] ?? 'gpt-4o-mini'
  const ttft = Math.round(180 + random() * 500)
  const total = Math.round(ttft + random() ** 2 * 6000)
  const input = Math.round(80 + random() * 4000)
  const output = Math.round(20 + random() * 700)
  const refused = failed && random() < 0.3
  const first = failed || random() < 0.1
  return {
    id: fakeId(n),
    timestamp: new Date(at).toISOString(),
    test: false,
    endpoint: '/v1/chat/completions',
    provider_id: refused ? '' : provider.id,
    provider: refused ? '' : provider.name,
    model: refused ? 'gpt-5-preview' : name,
    upstream_model: refused ? '' : name,
    key_id: fakeId(201),
    key: 'Billing service',
    status: refused ? 404 : failed ? 503 : 200,
    outcome: refused ? 'rejected' : failed ? 'upstream_error' : 'complete',
    ...(failed
      ? {
          error_code: refused ? 'model_not_found' : 'provider_unavailable',
          error_message: refused
            ? 'No active provider has the model gpt-5-preview.'
            : 'Every provider that has this model failed.',
        }
      : {}),
    response_time: refused ? 2 : total,
    ttft: failed ? null : ttft,
    overhead_us: Math.round(200 + random() * 300),
    stream: random() < 0.7,
    cache_hit: false,
    tokens_input: failed ? null : input,
    tokens_output: failed ? null : output,
    cost:
      failed || provider.provider === 'gemini'
        ? null
        : ((input * 150 + output * 600) / 1e9).toFixed(9).replace(/0+$/, ''),
    ...(failed ? {} : { usage: { input, output } }),
    attempts: refused
      ? []
      : [
          ...(first
            ? [
                {
                  provider_id: fakeId(4),
                  provider: 'openai-main',
                  model: name,
                  start_ms: 1,
                  duration_ms: 96,
                  status: 401,
                  error: 'provider_credentials',
                  message: 'The service refuses the key.',
                },
              ]
            : []),
          {
            provider_id: provider.id,
            provider: provider.name,
            model: name,
            start_ms: first ? 98 : 1,
            duration_ms: ttft - (first ? 98 : 1),
            ...(failed
              ? { status: 503, error: 'provider_unavailable', message: 'The service is overloaded.' }
              : { status: 200 }),
          },
        ],
    route: {
      strategy: 'priority',
      reason: first
        ? 'Next in order after openai-main failed.'
        : 'Lowest priority number among the providers that have it.',
      ...(first ? { skipped: [{ provider: 'azure-eu', model: name, reason: 'It is inactive.' }] } : {}),
    },
    request: { model: name, stream: true, messages: 3, params: ['model', 'messages', 'stream'] },
    ...(failed ? {} : { response: { finish_reason: 'stop', choices: 1 } }),
  }
}

/** A small generator of numbers from 0 to 1 (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
