import type { StatsBucket } from './schema'

/** Counts of several buckets together. */
export interface Totals {
  /** Value of the dimension they were summed by, empty for none: of keys, the id. */
  name: string
  /** What people call it; several may be called the same. */
  label: string
  requests: number
  errors: number
  tokensInput: number
  tokensOutput: number
  /** USD. */
  cost: number
  /** Requests whose cost is unknown, and is not in cost. */
  unpriced: number
  /** ms; null without requests. */
  p50: number | null
  p95: number | null
}

/**
 * Sums buckets, for each value of a dimension if one is named, the most requests first. A
 * percentile over several buckets is their mean, weighted by requests: exact for one bucket, near
 * for two.
 */
export function sumBuckets(buckets: StatsBucket[], by?: string): Totals[] {
  const groups = new Map<string, StatsBucket[]>()
  for (const bucket of buckets) {
    const name = by ? (bucket.group[by] ?? '') : ''
    groups.set(name, [...(groups.get(name) ?? []), bucket])
  }
  return [...groups].map(([name, group]) => sum(name, group)).sort((a, b) => b.requests - a.requests)
}

/** The sum of no buckets at all. */
export const noTotals: Totals = sum('', [])

function sum(name: string, buckets: StatsBucket[]): Totals {
  const add = (value: (bucket: StatsBucket) => number) =>
    buckets.reduce((total, bucket) => total + value(bucket), 0)
  const mean = (value: (bucket: StatsBucket) => number | null) => {
    const known = buckets.filter((bucket) => bucket.requests > 0 && value(bucket) !== null)
    const weight = known.reduce((total, bucket) => total + bucket.requests, 0)
    if (weight === 0) return null
    return known.reduce((total, bucket) => total + (value(bucket) ?? 0) * bucket.requests, 0) / weight
  }
  return {
    name,
    label: Object.values(buckets[0]?.names ?? {})[0] ?? name,
    requests: add((bucket) => bucket.requests),
    errors: add((bucket) => bucket.errors),
    tokensInput: add((bucket) => bucket.tokens_input),
    tokensOutput: add((bucket) => bucket.tokens_output),
    cost: add((bucket) => Number(bucket.cost)),
    unpriced: add((bucket) => bucket.unpriced),
    p50: mean((bucket) => bucket.latency.p50),
    p95: mean((bucket) => bucket.latency.p95),
  }
}

/** The places of values that have no known neighbour: a line through them would not be seen. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values, (_, index) => index).filter(
    (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
  )
}

/** Steps from tick to tick of an axis: counts and ms are told whole, so that no two ticks read alike. */
export const wholeSteps = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((n) => n * 10 ** power),
).flat()
