import { isRecord } from '~/lib/problem'
import type { Alert } from '~/lib/schema'
import type { Tone } from './badge'

const grades: Record<string, [rank: number, tone: Tone]> = {
  critical: [0, 'bad'],
  error: [1, 'bad'],
  warning: [2, 'warn'],
  info: [3, 'accent'],
}

export function severityTone(alert: Alert): Tone {
  return grades[alert.severity]?.[1] ?? 'plain'
}

/** The gravest first; among equals, in the order given. */
export function gravestFirst(alerts: Alert[]): Alert[] {
  const rank = (alert: Alert) => grades[alert.severity]?.[0] ?? 4
  return [...alerts].sort((a, b) => rank(a) - rank(b))
}

/** What an alert adds to its message, as a sentence or as "name: value" pairs; empty for nothing. */
export function detailWords(detail: unknown): string {
  if (detail == null) return ''
  if (!isRecord(detail)) return plain(detail)
  const entries = Object.entries(detail).filter(([, value]) => value != null && value !== '')
  return entries
    .map(([name, value]) =>
      name === 'detail' ? plain(value) : `${name.replaceAll('_', ' ')}: ${plain(value)}`,
    )
    .join(' · ')
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ')
  return isRecord(value) ? detailWords(value) : String(value)
}
