import { useEffect, useMemo, useRef } from 'react'
import UPlot, { type AlignedData, type Options, type Series } from 'uplot'
import 'uplot/dist/uPlot.min.css'
import './plot.css'
import { lonely, wholeSteps } from '~/lib/stats'
import { useDark } from '~/lib/theme'

interface ChartSeries {
  label: string
  values: (number | null)[]
  /** A colour token of tokens.css, such as "--series-1". */
  color: string
  shape: 'bars' | 'line' | 'area'
}

export interface ChartProps {
  /** What the chart shows, in a sentence: it stands for the picture. */
  summary: string
  /** Start of each bucket, seconds since 1970. */
  times: number[]
  series: ChartSeries[]
  format: (value: number | null) => string
  height?: number
  /** Charts of one group share their cursor. */
  group?: string
}

const font = '11px "Hanken Grotesk Variable", system-ui, sans-serif'

/** Draws series over time on a canvas, in the theme's colours. */
export function Plot({ summary, times, series, format, height = 176, group }: ChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(null)
  const dark = useDark()
  const data = useMemo<AlignedData>(() => [times, ...series.map((one) => one.values)], [times, series])
  const latest = useRef({ data, format })
  latest.current = { data, format }
  const shape = JSON.stringify(series.map(({ label, color, shape }) => ({ label, color, shape })))

  // biome-ignore lint/correctness/useExhaustiveDependencies: dark decides what the colour tokens are.
  useEffect(() => {
    const node = host.current
    if (!node) return
    const lines: Omit<ChartSeries, 'values'>[] = JSON.parse(shape)
    const text = (value: number | null) => latest.current.format(value)
    const chart = new UPlot(options(node, lines, height, group, text), latest.current.data, node)
    plot.current = chart
    const observer = new ResizeObserver(() => chart.setSize({ width: node.clientWidth, height }))
    observer.observe(node)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [shape, height, group, dark])

  useEffect(() => plot.current?.setData(data), [data])

  return <div ref={host} role="img" aria-label={summary} className="plot min-w-0" />
}

function options(
  node: HTMLElement,
  lines: Omit<ChartSeries, 'values'>[],
  height: number,
  group: string | undefined,
  format: (value: number | null) => string,
): Options {
  const style = getComputedStyle(node)
  const color = (token: string) => style.getPropertyValue(token).trim()
  const axis = { stroke: color('--ink-3'), font, ticks: { show: false }, border: { show: false } }
  return {
    width: node.clientWidth,
    height,
    padding: [10, 8, 0, 0],
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { setScale: false, x: false },
      ...(group ? { sync: { key: group } } : {}),
    },
    legend: { live: true },
    scales: {
      // Half a bucket of room at both ends, where bars would be cut.
      x: { range: (plot, min, max) => [min - bucket(plot) / 2, max + bucket(plot) / 2] },
      y: { range: (_, __, max) => [0, Math.max(max * 1.05, 1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 64, size: 26, values: (_, ticks) => tickLabels(ticks) },
      {
        ...axis,
        grid: { stroke: color('--line'), width: 1 },
        size: 50,
        gap: 8,
        space: 34,
        incrs: wholeSteps,
        values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : format(tick))),
      },
    ],
    series: [
      { value: (_, time) => (time ? new Date(time * 1000).toLocaleString('en', momentForm) : '') },
      ...lines.map((line): Series => seriesOptions(line, color, format)),
    ],
  }
}

const clockForm: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hour12: false }
const dayForm: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }
const momentForm: Intl.DateTimeFormatOptions = { ...dayForm, ...clockForm }

/** Seconds from one bucket to the next. */
function bucket(plot: UPlot): number {
  const [times] = plot.data
  return (times?.[1] ?? 0) - (times?.[0] ?? 0) || 60
}

/** Hours and minutes; the day instead at midnight, or throughout if ticks are days apart. */
function tickLabels(ticks: number[]): string[] {
  const days = (ticks[1] ?? 0) - (ticks[0] ?? 0) >= 86_400
  return ticks.map((tick) => {
    const date = new Date(tick * 1000)
    const midnight = date.getHours() === 0 && date.getMinutes() === 0
    return date.toLocaleString('en', days || midnight ? dayForm : clockForm)
  })
}

function seriesOptions(
  line: Omit<ChartSeries, 'values'>,
  color: (token: string) => string,
  format: (value: number | null) => string,
): Series {
  const stroke = color(line.color)
  const value = (_: UPlot, number: number | null) => (number == null ? '' : format(number))
  if (line.shape === 'bars') {
    return {
      label: line.label,
      stroke,
      fill: stroke,
      width: 0,
      value,
      points: { show: false },
      paths: UPlot.paths.bars?.({ size: [0.7, 26], radius: 0.12 }),
    }
  }
  return {
    label: line.label,
    stroke,
    width: 1.75,
    value,
    // No line leads over a time without a value: nobody measured it.
    spanGaps: false,
    // A value between two gaps has no line, so it is a point.
    points: {
      show: true,
      size: 5,
      width: 0,
      fill: stroke,
      filter: (plot, index) => lonely(plot.data[index] ?? []),
    },
    ...(line.shape === 'area' ? { fill: color(`${line.color}-fill`) } : {}),
  }
}
