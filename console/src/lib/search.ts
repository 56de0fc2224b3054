import { outcomes, type RequestFilter, type Span, spans } from './queries/requests'

/**
 * The search part of each page's URL. A reader keeps what it knows and drops the rest, so that
 * an old or mistyped link still opens the page.
 */
type Raw = Record<string, unknown>

export function setupSearch(raw: Raw): { token?: string | undefined } {
  return { token: word(raw.token) }
}

export function signInSearch(raw: Raw): { next?: string | undefined; error?: string | undefined } {
  const next = word(raw.next)
  return {
    // Only a path of this site: "//host" and "/\host" would lead elsewhere.
    next: next && /^\/(?![/\\])/.test(next) ? next : undefined,
    error: word(raw.error),
  }
}

export function overviewSearch(raw: Raw): { span?: Span | undefined } {
  return {
    span: typeof raw.span === 'string' && Object.hasOwn(spans, raw.span) ? (raw.span as Span) : undefined,
  }
}

/** What a list is narrowed to, and the column that it is sorted by, "-name" for downwards. */
interface ListSearch {
  q?: string | undefined
  sort?: string | undefined
}

export function listSearch(raw: Raw): ListSearch {
  return { q: word(raw.q), sort: word(raw.sort) }
}

export function providerNewSearch(raw: Raw): { kind?: string | undefined } {
  return { kind: word(raw.kind) }
}

export function playgroundSearch(raw: Raw): { model?: string | undefined } {
  return { model: word(raw.model) }
}

export function requestsSearch(raw: Raw): RequestFilter {
  const status = word(raw.status)
  return {
    provider: word(raw.provider),
    endpoint: word(raw.endpoint),
    status: status && /^[1-5](\d\d|xx)$/.test(status) ? status : undefined,
    outcome: outcomes.find((outcome) => outcome === raw.outcome),
    model: word(raw.model),
    key: word(raw.key),
    from: moment(raw.from),
    to: moment(raw.to),
    cursor: word(raw.cursor),
  }
}

/** A value that was a string; the router reads a bare 404 as a number. */
function word(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function moment(value: unknown): string | undefined {
  const text = word(value)
  return text && !Number.isNaN(Date.parse(text)) ? text : undefined
}
