import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { paths } from '../api.gen'
import { api, unwrap } from '../client'
import { asProblem, mayHeal } from '../problem'
import { sumBuckets } from '../stats'

export const requestKeys = ['requests'] as const

/** What a list of requests is narrowed to; the same names stand in the page's URL. */
export interface RequestFilter {
  provider?: string | undefined
  endpoint?: string | undefined
  status?: string | undefined
  outcome?: RequestOutcome | undefined
  model?: string | undefined
  key?: string | undefined
  /** RFC 3339. */
  from?: string | undefined
  to?: string | undefined
  cursor?: string | undefined
  limit?: number | undefined
}

export const outcomes = ['complete', 'client_cancelled', 'upstream_error', 'truncated', 'rejected'] as const
type RequestOutcome = (typeof outcomes)[number]

export const requestsQuery = (filter: RequestFilter) =>
  queryOptions({
    queryKey: [...requestKeys, 'list', filter],
    queryFn: ({ signal }) => {
      const { outcome, ...rest } = filter
      const query = { ...rest, ...(outcome ? { outcome: [outcome] } : {}) }
      return unwrap(api.GET('/api/requests', { params: { query }, signal }))
    },
    placeholderData: keepPreviousData,
  })

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: [...requestKeys, 'one', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/requests/{id}', { params: { path: { id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    // A record is there a moment after its answer has ended.
    retry: (times, error) =>
      isYoung(id) && asProblem(error).status === 404 ? times < 8 : mayHeal(times, error),
    retryDelay: (times, error) => (asProblem(error).status === 404 ? 250 : 1000 * 2 ** times),
  })

/** True if a request was made just now. Its id is a UUIDv7, which begins with its time; clocks may differ. */
function isYoung(id: string, now = Date.now()): boolean {
  const made = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  return Math.abs(now - made) < 60_000
}

/** The spans that the overview can show. */
export const spans = {
  hour: { label: 'Last hour', ms: 3_600_000, groupBy: 'minute' },
  day: { label: 'Last 24 hours', ms: 86_400_000, groupBy: 'hour' },
  week: { label: 'Last 7 days', ms: 7 * 86_400_000, groupBy: 'hour' },
  month: { label: 'Last 30 days', ms: 30 * 86_400_000, groupBy: 'day' },
} as const
export type Span = keyof typeof spans

const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone

type StatsQuery = NonNullable<paths['/api/requests/stats']['get']['parameters']['query']>

function readStats(query: StatsQuery, signal: AbortSignal) {
  return unwrap(api.GET('/api/requests/stats', { params: { query: { ...query, tz: timeZone } }, signal }))
}

/** The last so many ms as from and to. The window moves with every fetch. */
function window(ms: number) {
  const to = Date.now()
  return { from: new Date(to - ms).toISOString(), to: new Date(to).toISOString() }
}

/** Counts over a span, cut into the buckets of its chart. */
export const statsQuery = (span: Span) =>
  queryOptions({
    queryKey: [...requestKeys, 'stats', 'series', span],
    queryFn: ({ signal }) => readStats({ ...window(spans[span].ms), groupBy: spans[span].groupBy }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })

/** Counts over a span as a whole, or one for each value of a dimension. */
export const totalsQuery = (span: Span, by?: 'model' | 'key') =>
  queryOptions({
    queryKey: [...requestKeys, 'stats', 'totals', span, by ?? 'all'],
    queryFn: async ({ signal }) => {
      // The longest bucket there is: one, or two where a month ends within the span.
      const stats = await readStats(
        { ...window(spans[span].ms), groupBy: 'month', ...(by ? { by: [by] } : {}) },
        signal,
      )
      return sumBuckets(stats.data, by)
    },
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
