import type { Alert, Provider, Status } from '~/lib/schema'
import type { Tone } from '~/ui/badge'

interface Known {
  /** Point gave no answer when it was last asked. */
  silent: boolean
  status: Status | undefined
  /** The open ones. */
  alerts: Alert[]
  providers: Provider[]
}

/** How Point is, in the gravest words that are true; the hint tells what ails it, a line each. */
export function systemState({ silent, status, alerts, providers }: Known): {
  tone: Tone
  words: string
  hint: string
} {
  const active = providers.filter((provider) => provider.status === 'active')
  const inState = (state: string) => active.filter((provider) => provider.health.state === state)
  const [down, degraded] = [inState('down'), inState('degraded')]
  const critical = alerts.filter((alert) => alert.severity === 'critical')
  const checks = (status?.checks ?? []).filter(({ state }) => state === 'down' || state === 'degraded')
  const hint = [
    ...checks.map((check) => `${check.name}: ${check.message || check.state}`),
    ...[...down, ...degraded].map(({ name, health }) => `${name}: ${health.message || health.state}`),
    ...alerts.map((alert) => `${alert.subject}: ${alert.message}`),
  ].join('\n')
  const say = (tone: Tone, words: string) => ({ tone, words, hint })

  if (silent) return { tone: 'bad', words: 'Point does not answer', hint: '' }
  if (status?.state === 'down') return say('bad', 'Failing')
  if (down.length > 0) return say('bad', many(down.length, 'provider down', 'providers down'))
  if (critical.length > 0) return say('bad', many(critical.length, 'grave alert', 'grave alerts'))
  if (status?.state === 'degraded') return say('warn', 'Degraded')
  if (degraded.length > 0) return say('warn', many(degraded.length, 'provider ailing', 'providers ailing'))
  if (alerts.length > 0) return say('warn', many(alerts.length, 'open alert', 'open alerts'))
  return say('ok', 'All well')
}

function many(n: number, one: string, more: string): string {
  return `${n} ${n === 1 ? one : more}`
}
