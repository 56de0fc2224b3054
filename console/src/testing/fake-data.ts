import type {
  Alert,
  Endpoint,
  Key,
  Model,
  Provider,
  ProviderField,
  ProviderKind,
  RequestRecord,
  Status,
} from '~/lib/schema'
import { fakeId, seedRequests } from './fake-requests'

/** What a fake Point holds. */
export interface FakeData {
  providers: Provider[]
  endpoints: Endpoint[]
  keys: Key[]
  requests: RequestRecord[]
  alerts: Alert[]
}

const minute = 60_000
const common: ProviderField[] = [
  field('base_url', 'Base URL', 'url', 'Where the service is, as its own SDK would take it.'),
  field('api_key', 'API key', 'secret', "The service's key; it is stored encrypted."),
  field(
    'api_key_env',
    'API key variable',
    'string',
    'Environment variable that holds the key, in place of storing it.',
  ),
  field('api_keys', 'API keys', 'secrets', 'A pool of keys that share the load, in place of one.'),
  field('models', 'Models', 'list', 'If given, only these models are sent to this provider.'),
  field('weight', 'Weight', 'integer', 'Share of the calls among providers of the same priority.', '1'),
  field('priority', 'Priority', 'integer', 'Lower is tried first.', '0'),
  field('timeout', 'Timeout', 'integer', "Bound on a call, in ms; absent is the mapping's."),
  field('headers', 'Headers', 'secret-map', 'Sent with every call; values are stored encrypted.'),
]

function field(
  name: string,
  title: string,
  type: ProviderField['type'],
  help: string,
  fallback = '',
): ProviderField {
  return { name, title, type, required: false, common: true, default: fallback, help }
}

export const kinds: ProviderKind[] = [
  kind('anthropic', 'Anthropic', 'anthropic', 'https://api.anthropic.com', 'ANTHROPIC_API_KEY'),
  kind('gemini', 'Google Gemini', 'gemini', 'https://generativelanguage.googleapis.com', 'GEMINI_API_KEY'),
  {
    ...kind('openai', 'OpenAI', 'openai', 'https://api.openai.com/v1', 'OPENAI_API_KEY'),
    fields: [
      ...common,
      {
        name: 'organization',
        title: 'Organization',
        type: 'string',
        required: false,
        common: false,
        default: '',
        help: 'Billed for the calls, if the key belongs to several.',
      },
    ],
  },
  {
    ...kind('openai-compatible', 'OpenAI-compatible', 'openai', '', ''),
    env_keys: [],
    keyless: true,
    fields: common.map((one) => (one.name === 'base_url' ? { ...one, required: true } : one)),
  },
]

function kind(
  name: string,
  title: string,
  dialect: ProviderKind['dialect'],
  baseURL: string,
  env: string,
): ProviderKind {
  return {
    name,
    title,
    type: 'api',
    dialect,
    base_url: baseURL,
    env_keys: [env],
    keyless: false,
    serves: ['/v1/chat/completions'],
    fields: common,
    schema: {},
  }
}

export const models: Model[] = [
  model('gpt-4o-mini', '', 'chat'),
  model('claude-sonnet-4-5', '', 'chat'),
  model('gemini-2.5-flash', '', 'chat'),
  model('demo-openai/gpt-4o-mini', 'demo-openai', 'chat'),
  model('demo-anthropic/claude-sonnet-4-5', 'demo-anthropic', 'chat'),
  model('demo-gemini/gemini-2.5-flash', 'demo-gemini', 'chat'),
  model('demo-openai/text-embedding-3-small', 'demo-openai', 'embedding'),
]

function model(id: string, provider: string, kind: Model['kind']): Model {
  return { id, provider, kind, context_window: 128_000, max_output: 16_384, abilities: ['tools'] }
}

/** A Point as it is after some days of use; now is ms since 1970. */
export function usedPoint(now: number): FakeData {
  const iso = (ago: number) => new Date(now - ago).toISOString()
  const providers = [
    provider(now, 1, 'demo-openai', 'openai', 'demo', { state: 'ok', latency: 212, since: iso(90 * minute) }),
    provider(now, 2, 'demo-anthropic', 'anthropic', 'demo', {
      state: 'ok',
      latency: 348,
      since: iso(90 * minute),
    }),
    provider(now, 3, 'demo-gemini', 'gemini', 'demo', {
      state: 'degraded',
      latency: 1290,
      since: iso(12 * minute),
      last_error: 'provider_timeout',
      message: '3 of the last 20 calls timed out.',
    }),
    provider(now, 4, 'openai-main', 'openai', 'env', {
      state: 'down',
      since: iso(5 * minute),
      last_error: 'provider_credentials',
      message: 'The service refuses the key.',
    }),
  ]
  return {
    providers,
    endpoints: freshEndpoints(now),
    keys: [
      key(now, 1, 'Billing service', 'pt-Xk3v'),
      { ...key(now, 2, 'Old laptop', 'pt-a91c'), status: 'inactive' },
    ],
    requests: seedRequests(now, providers),
    alerts: [
      alert(now, 1, 'provider_down', 'openai-main', 'critical', 'A provider refuses its key', 14),
      alert(now, 2, 'unpriced_model', 'demo-gemini/gemini-next', 'warning', 'A model has no known price', 3),
    ],
  }
}

/** A Point right after its set-up, with the demo's providers and no request yet. */
export function freshPoint(now: number): FakeData {
  return {
    providers: [1, 2, 3].map((n) =>
      provider(
        now,
        n,
        ['demo-openai', 'demo-anthropic', 'demo-gemini'][n - 1] ?? '',
        ['openai', 'anthropic', 'gemini'][n - 1] ?? '',
        'demo',
        { state: 'unknown' },
      ),
    ),
    endpoints: freshEndpoints(now),
    keys: [],
    requests: [],
    alerts: [],
  }
}

function provider(
  now: number,
  n: number,
  name: string,
  kind: string,
  managedBy: Provider['managed_by'],
  health: Provider['health'],
): Provider {
  const at = new Date(now - 3 * 86_400_000).toISOString()
  return {
    id: fakeId(n),
    name,
    type: 'api',
    provider: kind,
    config: { base_url: 'http://127.0.0.1:9099/openai/v1', api_key: '***mo01', weight: 1, priority: 0 },
    status: 'active',
    health,
    managed_by: managedBy,
    private: managedBy === 'demo',
    secrets: [{ name: 'api_key', set_at: at }],
    version: 1,
    created_at: at,
    updated_at: at,
  }
}

function freshEndpoints(now: number): Endpoint[] {
  const at = new Date(now - 3 * 86_400_000).toISOString()
  const paths = [
    '/v1/chat/completions',
    '/v1/responses',
    '/v1/completions',
    '/v1/embeddings',
    '/v1/images/generations',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/v1/models',
  ]
  return paths.map((path, index) => ({
    id: fakeId(100 + index),
    path,
    active: true,
    own_mapping: false,
    managed_by: 'user',
    version: 1,
    created_at: at,
    updated_at: at,
    mapping: {
      strategy: 'priority',
      rules: [],
      fallbacks: [],
      retry: { attempts: 3, backoff_ms: 100, backoff_max_ms: 2000, budget_percent: 20, hedge_after_ms: null },
      timeout: { total_ms: 600_000, connect_ms: 5000, first_byte_ms: null, idle_ms: 300_000 },
      cache: { mode: 'off', ttl_s: 3600, max_bytes: 1_048_576 },
      batch: { enabled: false, window_ms: 5, max_inputs: 256 },
      continue_broken_streams: false,
      unsupported: 'error',
    },
  }))
}

export function key(now: number, n: number, name: string, prefix: string): Key {
  const at = new Date(now - n * 86_400_000).toISOString()
  return {
    id: fakeId(200 + n),
    name,
    prefix,
    owner_id: fakeId(900),
    owner: 'owner@example.com',
    status: 'active',
    tags: [],
    models: [],
    endpoints: [],
    limits: n === 1 ? { rpm: 600, budget_month: '250' } : {},
    ...(n === 1 && {
      usage: { day: '1.23', month: '45.6', requests_minute: 12, tokens_minute: 3400, open: 1 },
    }),
    expires_at: null,
    rotated_at: null,
    previous_expires_at: null,
    managed_by: 'user',
    version: 1,
    created_at: at,
    updated_at: at,
  }
}

function alert(
  now: number,
  n: number,
  kind: string,
  subject: string,
  severity: Alert['severity'],
  message: string,
  count: number,
): Alert {
  return {
    id: fakeId(300 + n),
    kind,
    subject,
    severity,
    message,
    count,
    first_at: new Date(now - 50 * minute).toISOString(),
    last_at: new Date(now - n * minute).toISOString(),
    status: 'open',
    rule_id: '',
    silence_id: '',
    notified_at: null,
    acknowledged_at: null,
    acknowledged_by: '',
    resolved_at: null,
    resolved_by: '',
  }
}

export function status(now: number, data: FakeData): Status {
  return {
    state: 'ok',
    version: 'test',
    started_at: new Date(now - 3_600_000).toISOString(),
    uptime: 3_600_000,
    database: { engine: 'sqlite', state: 'ok', latency: 0 },
    config: {
      version: 1,
      providers: data.providers.length,
      providers_active: data.providers.length,
      providers_down: 0,
      endpoints_active: 5,
      keys: data.keys.length,
      users: 1,
      demo: true,
    },
    process: { goroutines: 40, memory: 40_000_000, cpus: 2 },
    alerts_open: { critical: 0, warning: 0, info: 0 },
    instances: [],
    checks: [],
  }
}
