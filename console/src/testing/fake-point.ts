import type { components } from '~/lib/api.gen'
import type { Me, Provider, RequestRecord, StatsBucket } from '~/lib/schema'
import {
  bucketOf,
  chatStream,
  json,
  list,
  masked,
  matchesQuery,
  problem,
  recordOf,
  stale,
} from './fake-answers'
import { type FakeData, key, kinds, models, status } from './fake-data'
import { fakeId } from './fake-requests'

type Schemas = components['schemas']

/** The account of the fake, and the token of its set-up link. */
export const owner = { email: 'owner@example.com', password: 'correct horse battery' }
export const setupToken = 'setup-token-of-the-fake'

const allPermissions = [
  'providers:read', 'providers:write', 'providers:test', 'providers:private', 'endpoints:read', 'endpoints:write',
  'keys:read', 'keys:write', 'keys:own', 'models:read', 'requests:read', 'requests:own', 'status:read', 'alerts:read',
] // biome-ignore format: one list

/** What viewers may do. */
const viewed = /:read$|^requests:own$/

interface Options {
  data: FakeData
  /** No user exists yet. */
  needsSetup?: boolean
  role?: string
  /** What the role may do; those of a viewer or an owner if absent. */
  permissions?: string[]
  now?: () => number
}

/**
 * Point's API in memory, by the same types as the client: for tests, and for looking at pages
 * without a server. It keeps what it is told until it is thrown away.
 */
export class FakePoint {
  readonly data: FakeData
  /** What was asked, such as "POST /api/keys", in order. */
  readonly calls: string[] = []
  needsSetup: boolean
  signedIn = false
  role: string
  private readonly permissions: string[] | undefined
  /** Queries that hold this text fail; none if empty. */
  refuses = ''
  /** Seconds for which nobody may sign in, as after too many wrong tries. */
  signInWait = 0
  /** Paths below this one get no answer, as if Point were not running; none if empty. */
  silent = ''
  /** The provider that people may sign in at; none if empty. */
  openID = ''
  /** How many keys and providers there are, beyond those that a list hands over. */
  unlisted = 0
  private readonly now: () => number
  private serial = 5000
  private token = 0
  private readonly tokens = new Set<string>()

  constructor({ data, needsSetup = false, role = 'owner', permissions, now = Date.now }: Options) {
    this.data = data
    this.needsSetup = needsSetup
    this.role = role
    this.permissions = permissions
    this.now = now
  }

  /** Access tokens stop working, as after 15 minutes; the refresh cookie still does. */
  expireToken(): void {
    this.token++
  }

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url)
    this.calls.push(`${request.method} ${url.pathname}`)
    if (this.silent && url.pathname.startsWith(this.silent)) throw new TypeError('Failed to fetch')
    if (url.pathname.startsWith('/v1/')) return this.dataPlane(request, url)
    if (!open.has(url.pathname) && request.headers.get('authorization') !== `Bearer ${this.accessToken()}`) {
      return problem(401, 'Sign in first.')
    }
    if (this.refuses && url.search.includes(this.refuses)) return problem(400, 'Refused by the fake.')
    const [, , entity = '', id = '', action = ''] = url.pathname.split('/')
    const body: unknown = request.headers.get('content-type')?.includes('json')
      ? await request.json()
      : undefined
    switch (entity) {
      case 'setup':
        return this.setup(request.method, body as Schemas['Setup'])
      case 'auth':
        return this.auth(id, body as Schemas['Login'])
      case 'providers':
        return this.providers(request, id, action, body)
      case 'provider-kinds':
        return list(kinds)
      case 'models':
        return list(models)
      case 'endpoints':
        return this.endpoints(request, id, body as Schemas['UpdateEndpoint'])
      case 'keys':
        return this.keys(request, id, body as Schemas['CreateKey'] & Schemas['UpdateKey'])
      case 'requests':
        return id === 'stats'
          ? json({ data: this.stats(url.searchParams) })
          : this.requests(id, url.searchParams)
      case 'alerts':
        return list(url.searchParams.get('status') === 'open' ? this.data.alerts : [])
      case 'status':
        return json(status(this.now(), this.data))
      case 'events':
        return new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } })
    }
    return problem(404, 'There is no such path.')
  }

  private accessToken(): string {
    return `access-${this.token}`
  }

  private enter(): Response {
    this.signedIn = true
    return json({ access_token: this.accessToken(), token_type: 'Bearer', expires_in: 900 })
  }

  private setup(method: string, body: Schemas['Setup']): Response {
    if (method === 'GET') return json({ required: this.needsSetup })
    if (body.token !== setupToken) {
      return problem(422, 'Mend the fields below.', [
        { location: 'body.token', message: 'This link is used up or too old. Restart Point for a new one.' },
      ])
    }
    this.needsSetup = false
    return this.enter()
  }

  private auth(action: string, body: Schemas['Login'] | undefined): Response {
    switch (action) {
      case 'login':
        if (this.signInWait > 0) {
          const refused = problem(429, 'Too many tries failed. Wait before the next one.')
          refused.headers.set('retry-after', String(this.signInWait))
          return refused
        }
        if (body?.email === owner.email && body.password === owner.password) return this.enter()
        return problem(401, 'The email address or the password is wrong.')
      case 'methods':
        return json({
          password: true,
          ...(this.openID && {
            oidc: { name: this.openID, start: 'https://point.example/api/auth/oidc/start' },
          }),
        })
      case 'refresh':
        return this.signedIn ? this.enter() : problem(401, 'There is no session.')
      case 'logout':
        this.signedIn = false
        return new Response(null, { status: 204 })
    }
    const me: Me = {
      id: fakeId(900),
      email: owner.email,
      role: this.role,
      permissions:
        this.permissions ??
        (this.role === 'viewer' ? allPermissions.filter((one) => viewed.test(one)) : allPermissions),
      session_id: fakeId(901),
      created_at: new Date(this.now()).toISOString(),
    }
    return json(me)
  }

  private providers(request: Request, id: string, action: string, body: unknown): Response {
    const { providers } = this.data
    if (!id && request.method === 'GET') return list(providers, this.unlisted)
    if (!id) return this.createProvider(body as Schemas['CreateProvider'])
    const found = providers.find((one) => one.id === id)
    if (!found) return problem(404, 'There is no such provider.')
    if (action === 'test') return this.testProvider(found, body as Schemas['ProviderTest'])
    if (request.method === 'GET') return json(found, 200, found.version)
    if (request.headers.get('if-match') !== `"${found.version}"`) return stale('provider')
    if (request.method === 'DELETE') {
      providers.splice(providers.indexOf(found), 1)
      return new Response(null, { status: 204 })
    }
    const { config, ...rest } = body as Schemas['UpdateProvider']
    Object.assign(found, rest, { version: found.version + 1 })
    if (config)
      found.config = masked({
        ...config,
        api_key: config.api_key === undefined ? found.config.api_key : config.api_key,
      })
    return json(found, 200, found.version)
  }

  private createProvider(body: Schemas['CreateProvider']): Response {
    if (this.data.providers.some((one) => one.name === body.name)) {
      return problem(409, 'Another provider has this name. Choose another one.', [
        { location: 'body.name', message: 'This is taken.' },
      ])
    }
    const at = new Date(this.now()).toISOString()
    const provider: Provider = {
      id: fakeId(this.serial++),
      name: body.name,
      type: 'api',
      provider: body.provider,
      config: masked(body.config),
      status: 'active',
      health: { state: 'unknown' },
      managed_by: 'user',
      private: false,
      secrets: [],
      version: 1,
      created_at: at,
      updated_at: at,
    }
    this.data.providers.push(provider)
    return json(provider, 201, 1)
  }

  private testProvider(provider: Provider, body: Schemas['ProviderTest']): Response {
    const model = body.model || 'gpt-4o-mini'
    const result: Schemas['TestResult'] = {
      ok: true,
      status: 200,
      latency_ms: 312,
      ttft_ms: 140,
      text: 'Hello! How can I help?',
      model,
      usage: { input: 14, output: 8 },
      cost: '0.0000069',
      attempts: [
        {
          provider_id: provider.id,
          provider: provider.name,
          model,
          start_ms: 0,
          duration_ms: 140,
          status: 200,
        },
      ],
    }
    provider.health = { state: 'ok', latency: 140 }
    return json(result)
  }

  private endpoints(request: Request, id: string, body: Schemas['UpdateEndpoint']): Response {
    if (!id) return list(this.data.endpoints)
    const found = this.data.endpoints.find((one) => one.id === id)
    if (!found) return problem(404, 'There is no such endpoint.')
    if (request.method === 'GET') return json(found, 200, found.version)
    if (request.headers.get('if-match') !== `"${found.version}"`) return stale('endpoint')
    const strategy: unknown = body.mapping?.strategy
    if (strategy === 'wrong') {
      return problem(422, 'Mend the fields below.', [
        { location: 'body.mapping.strategy', message: 'This must be one of priority, weighted and others.' },
      ])
    }
    if (body.active !== undefined) found.active = body.active
    if (body.mapping !== undefined) {
      found.own_mapping = body.mapping !== null
      Object.assign(found.mapping, body.mapping)
    }
    found.version++
    return json(found, 200, found.version)
  }

  private keys(request: Request, id: string, body: Schemas['CreateKey'] & Schemas['UpdateKey']): Response {
    const { keys } = this.data
    if (!id && request.method === 'GET') return list(keys, this.unlisted)
    if (!id) {
      const n = this.serial++
      const token = `pt-fake-token-${n}`
      this.tokens.add(token)
      const made = {
        ...key(this.now(), n, body.name ?? '', token.slice(0, 7)),
        created_at: new Date(this.now()).toISOString(),
      }
      made.limits = body.limits ?? {}
      made.tags = body.tags ?? []
      made.expires_at = body.expires_at ?? null
      keys.unshift(made)
      return json({ ...made, token }, 201, 1)
    }
    const found = keys.find((one) => one.id === id)
    if (!found) return problem(404, 'There is no such key.')
    if (request.headers.get('if-match') !== `"${found.version}"`) return stale('key')
    if (request.method === 'DELETE') {
      keys.splice(keys.indexOf(found), 1)
      return new Response(null, { status: 204 })
    }
    Object.assign(found, body, { version: found.version + 1 })
    return json(found, 200, found.version)
  }

  private requests(id: string, query: URLSearchParams): Response {
    if (id) {
      const found = this.data.requests.find((one) => one.id === id)
      return found ? json(found) : problem(404, 'There is no such request.')
    }
    const matches = this.data.requests.filter((one) => matchesQuery(one, query))
    const limit = Number(query.get('limit') ?? 50)
    const from = Number(query.get('cursor') ?? 0)
    const data = matches.slice(from, from + limit)
    const more = from + limit < matches.length
    return json({
      data,
      page: 1,
      limit,
      total: matches.length,
      more,
      cursor: more ? String(from + limit) : '',
    })
  }

  private stats(query: URLSearchParams): StatsBucket[] {
    const size = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[query.get('groupBy') ?? '']
    const from = Date.parse(query.get('from') ?? '')
    const to = Date.parse(query.get('to') ?? '')
    const by = query.get('by')
    const groupOf = (one: RequestRecord) =>
      by === 'key' ? one.key_id : by === 'model' ? one.model : one.provider
    const groups = by ? [...new Set(this.data.requests.map(groupOf))] : ['']
    return groups.flatMap((group) => {
      const rows = this.data.requests.filter((one) => !by || groupOf(one) === group)
      const buckets: StatsBucket[] = []
      const names = by === 'key' && rows[0]?.key ? { key: rows[0].key } : undefined
      for (let start = size ? Math.floor(from / size) * size : from; start < to; start += size ?? to - from) {
        buckets.push(bucketOf(rows, start, start + (size ?? to - from), by ? { [by]: group } : {}, names))
      }
      return buckets
    })
  }

  /** Answers a chat word by word. A message that holds "fail" breaks off in the middle. */
  private async dataPlane(request: Request, url: URL): Promise<Response> {
    const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? ''
    if (!this.tokens.has(token))
      return json({ error: { message: 'This API key is not valid.', code: 'invalid_api_key' } }, 401)
    if (url.pathname === '/v1/models')
      return json({ object: 'list', data: models.map(({ id }) => ({ id, object: 'model' })) })
    const body = (await request.json()) as { model: string; messages: { content: string }[] }
    const id = fakeId(this.serial++)
    if (body.model === 'none') {
      const error = { message: 'No active provider has the model none.', code: 'model_not_found' }
      return Response.json({ error }, { status: 404, headers: { 'x-request-id': id } })
    }
    const last = body.messages.at(-1)?.content ?? ''
    this.data.requests.unshift({
      ...recordOf(id, body.model, this.now()),
      ...(last.includes('fail') ? { outcome: 'truncated' } : {}),
    })
    return new Response(chatStream(`You said: ${last} <b>& no markup</b>`, last.includes('fail')), {
      headers: {
        'content-type': 'text/event-stream',
        'x-request-id': id,
        'x-point-provider': 'demo-openai',
        'x-point-model': body.model.replace(/^.*\//, ''),
        'x-point-attempts': '1',
      },
    })
  }
}

const open = new Set([
  '/api/setup',
  '/api/auth/methods',
  '/api/auth/login',
  '/api/auth/refresh',
  '/api/auth/logout',
])
