import createClient from 'openapi-fetch'
import type { paths } from './api.gen'
import { Problem, toProblem } from './problem'
import { accessToken, refresh } from './session'

/** The typed client of /api, generated from its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: origin(), fetch: authorized })

/**
 * Sends a request with the access token. A 401 renews the session once and repeats; what is
 * under /api/auth answers for itself.
 */
async function authorized(request: Request): Promise<Response> {
  if (new URL(request.url).pathname.startsWith('/api/auth/login')) return fetch(request)
  const again = request.clone()
  const response = await fetch(withToken(request))
  if (response.status !== 401 || !(await refresh())) return response
  return fetch(withToken(again))
}

function withToken(request: Request): Request {
  const token = accessToken()
  if (token) request.headers.set('authorization', `Bearer ${token}`)
  return request
}

interface Outcome<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a successful call; a failed one is thrown as a Problem. */
export async function unwrap<T>(call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw toProblem(response, error)
  if (data === undefined) {
    throw new Problem({
      status: response.status,
      title: 'Empty answer',
      detail: 'Point answered without a body.',
    })
  }
  return data
}

/** Like unwrap, for calls that answer without a body. */
export async function settle(call: Promise<Outcome<unknown>>): Promise<void> {
  const { error, response } = await call
  if (!response.ok) throw toProblem(response, error)
}

/** A thing with the ETag it was read under, for If-Match. */
export interface Versioned<T> {
  value: T
  etag: string
}

export async function unwrapVersioned<T>(call: Promise<Outcome<T>>): Promise<Versioned<T>> {
  const outcome = await call
  const value = await unwrap(Promise.resolve(outcome))
  return { value, etag: outcome.response.headers.get('etag') ?? '' }
}

/** A fresh Idempotency-Key; crypto.randomUUID is missing on plain http to another machine. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** openapi-fetch builds a Request, which needs an absolute URL outside of a browser. */
function origin(): string {
  return globalThis.location?.origin ?? 'http://localhost'
}
