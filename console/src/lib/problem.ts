/** One field that the server refused; location is such as "body.config.base_url". */
export interface ProblemField {
  location: string
  message: string
}

/** A failed call: the server's problem+json (RFC 9457), or what stands for it without an answer. */
export class Problem extends Error {
  /** HTTP status, 0 if there was no answer. */
  readonly status: number
  readonly title: string
  readonly fields: ProblemField[]
  /** Seconds to wait before trying again, if the server told. */
  readonly retryAfter: number | undefined

  constructor(init: {
    status: number
    title: string
    detail: string
    fields?: ProblemField[]
    retryAfter?: number | undefined
  }) {
    super(init.detail)
    this.name = 'Problem'
    this.status = init.status
    this.title = init.title
    this.fields = init.fields ?? []
    this.retryAfter = init.retryAfter
  }

  /** True if somebody else changed the thing meanwhile (If-Match failed). */
  get stale(): boolean {
    return this.status === 412
  }
}

/** Reads a failed response, whatever its body is. */
export function toProblem(response: Response, body: unknown): Problem {
  const sent = isRecord(body) ? body : {}
  const retry = Number(response.headers.get('retry-after'))
  const detail = text(sent.detail) || openAI(sent, 'message') || plainWords(response.status)
  return new Problem({
    status: response.status,
    title: text(sent.title) || openAI(sent, 'code') || response.statusText || `HTTP ${response.status}`,
    detail: response.status === 429 && retry > 0 ? `${detail} Try again in ${waitWords(retry)}.` : detail,
    fields: Array.isArray(sent.errors) ? sent.errors.filter(isField) : [],
    retryAfter: retry > 0 ? retry : undefined,
  })
}

/** Any thrown value as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TypeError) {
    return new Problem({
      status: 0,
      title: 'No answer',
      detail: 'Point did not answer. Check that it is running and that this machine can reach it.',
    })
  }
  return new Problem({
    status: 0,
    title: 'Error',
    detail: error instanceof Error ? error.message : String(error),
  })
}

/** True if a query may be repeated: what failed may heal by itself, having had no answer, or a fault of the server's. */
export function mayHeal(times: number, error: unknown): boolean {
  const { status } = asProblem(error)
  return times < 2 && (status === 0 || status >= 500)
}

/** A member of an OpenAI-shaped error object: what /v1 answers. */
function openAI(body: Record<string, unknown>, member: 'message' | 'code'): string {
  return isRecord(body.error) ? text(body.error[member]) : ''
}

/** Seconds to wait, in words, never too few: 40 seconds, 15 minutes, 3 hours. */
function waitWords(seconds: number): string {
  const [n, unit] =
    seconds < 60
      ? [Math.ceil(seconds), 'second']
      : seconds < 7200
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour']
  return n === 1 ? `1 ${unit}` : `${n} ${unit}s`
}

function plainWords(status: number): string {
  if (status === 401) return 'Your session has ended. Sign in again.'
  if (status === 403) return 'Your role does not allow this. Ask an owner or admin.'
  if (status === 404) return 'This does not exist, or it was deleted.'
  if (status === 502 || status === 504)
    return 'A proxy answered instead of Point. Check that Point is running.'
  return 'Point could not do this. Its log has the details.'
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isField(value: unknown): value is ProblemField {
  return isRecord(value) && typeof value.location === 'string' && typeof value.message === 'string'
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
