import { lazy, Suspense } from 'react'
import { Skeleton } from './page'
import type { ChartProps } from './plot'

const Plot = lazy(() => import('./plot').then((module) => ({ default: module.Plot })))

/** A chart over time. Its library is loaded when the first one is shown. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton className="h-44" />}>
      <Plot {...props} />
    </Suspense>
  )
}
