import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { compact, count, duration } from '~/lib/format'
import { type Span, spans, statsQuery } from '~/lib/queries/requests'
import { Chart } from '~/ui/chart'
import { Failure } from '~/ui/notice'
import { Card, Skeleton } from '~/ui/page'

/** Requests and latency over the span, one above the other on the same time axis. */
export function Traffic({ span }: { span: Span }) {
  const stats = useQuery(statsQuery(span))
  const buckets = stats.data?.data
  const shown = useMemo(() => {
    if (!buckets) return undefined
    const times = buckets.map((bucket) => new Date(bucket.start).getTime() / 1000)
    const requests = [
      // The red bar stands in front of the one that counts all.
      {
        label: 'Requests',
        color: '--series-1',
        shape: 'bars' as const,
        values: buckets.map((bucket) => bucket.requests),
      },
      {
        label: 'Failed',
        color: '--bad',
        shape: 'bars' as const,
        values: buckets.map((bucket) => bucket.errors || null),
      },
    ]
    const latency = [
      {
        label: 'p95',
        color: '--series-2',
        shape: 'line' as const,
        values: buckets.map((bucket) => bucket.latency.p95),
      },
      {
        label: 'p50',
        color: '--series-1',
        shape: 'area' as const,
        values: buckets.map((bucket) => bucket.latency.p50),
      },
    ]
    return { times, requests, latency }
  }, [buckets])

  const all = buckets?.reduce((sum, bucket) => sum + bucket.requests, 0) ?? 0
  const failed = buckets?.reduce((sum, bucket) => sum + bucket.errors, 0) ?? 0
  const worst = Math.max(0, ...(buckets ?? []).map((bucket) => bucket.latency.p95 ?? 0))
  const failure =
    stats.error && !shown ? <Failure error={stats.error} retry={() => void stats.refetch()} /> : undefined
  return (
    <div className="mt-5 grid gap-5 lg:grid-cols-2">
      <Card title="Requests">
        {failure ??
          (shown ? (
            <Chart
              summary={`${spans[span].label}: ${count(all)} requests, ${count(failed)} of them failed.`}
              times={shown.times}
              series={shown.requests}
              format={compact}
              group="traffic"
            />
          ) : (
            <Skeleton className="h-44" />
          ))}
      </Card>
      <Card title="Latency">
        {failure ??
          (shown ? (
            <Chart
              summary={`${spans[span].label}: the slowest p95 was ${duration(worst)}.`}
              times={shown.times}
              series={shown.latency}
              format={duration}
              group="traffic"
            />
          ) : (
            <Skeleton className="h-44" />
          ))}
      </Card>
    </div>
  )
}
