const locale = 'en'
const whole = new Intl.NumberFormat(locale)
const compactNumber = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
const percentNumber = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })

/** What stands where nothing is known. */
export const nothing = '–'

export function count(value: number | null | undefined): string {
  return value == null ? nothing : whole.format(value)
}

/** 12,345,678 as "12.3M"; what has four digits at most is told whole. */
export function compact(value: number | null | undefined): string {
  if (value == null) return nothing
  return Math.abs(value) < 10_000 ? whole.format(value) : compactNumber.format(value)
}

/** A share of 0 to 1 as "1.2%". */
export function percent(value: number | null | undefined): string {
  return value == null || Number.isNaN(value) ? nothing : percentNumber.format(value)
}

/** Milliseconds as "<1 ms", "840 ms", "1.24 s", "2 m 05 s". */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return nothing
  if (ms < 0.5) return '<1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`
}

/**
 * US dollars, from /api's decimal string or /v1's number. Small amounts keep three significant
 * digits, so that a cheap request never reads as free. Unknown is nothing, not zero.
 */
export function money(usd: string | number | null | undefined): string {
  if (usd == null || usd === '') return nothing
  const value = Number(usd)
  if (Number.isNaN(value)) return nothing
  if (value === 0) return '$0'
  if (Math.abs(value) >= 1)
    return `$${value.toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
  return `$${value.toLocaleString(locale, { maximumSignificantDigits: 3, maximumFractionDigits: 9, roundingPriority: 'lessPrecision' })}`
}

/** "14:03:22", with the date in front if it is not today. */
export function clock(iso: string | null | undefined, now = new Date()): string {
  if (!iso) return nothing
  const date = new Date(iso)
  const time = date.toLocaleTimeString(locale, { hour12: false })
  if (date.toDateString() === now.toDateString()) return time
  const sameYear = date.getFullYear() === now.getFullYear()
  const day = date.toLocaleDateString(locale, {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  })
  return `${day}, ${time}`
}

/** The full local time, for titles. */
export function fullTime(iso: string | null | undefined): string {
  return iso
    ? new Date(iso).toLocaleString(locale, { dateStyle: 'full', timeStyle: 'long', hour12: false })
    : nothing
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/** "3 min ago", "in 2 hr". */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return nothing
  const distance = new Date(iso).getTime() - now
  for (const [unit, size] of steps) {
    if (Math.abs(distance) >= size) return relative.format(Math.trunc(distance / size), unit)
  }
  return 'now'
}
