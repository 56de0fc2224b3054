import { Lock } from 'lucide-react'
import { ago, duration } from '~/lib/format'
import type { Provider } from '~/lib/schema'
import { Badge, State, type Tone } from './badge'

const healthTones: Record<string, Tone> = { ok: 'ok', degraded: 'warn', down: 'bad' }
const stateWords: Record<string, string> = { ok: 'Healthy', degraded: 'Degraded', down: 'Down' }

/** How a provider has been answering; an inactive one is asked nothing. */
export function Health({ provider }: { provider: Provider }) {
  const { status, health } = provider
  if (status === 'inactive') return <State tone="plain">Inactive</State>
  return (
    <State tone={healthTones[health.state] ?? 'plain'} title={healthWords(health) || undefined}>
      {stateWords[health.state] ?? 'Not used yet'}
      {health.latency != null && <span className="num text-sm text-ink-3">{duration(health.latency)}</span>}
    </State>
  )
}

/** What a provider's health says beyond its state, and since when it is so. */
export function healthWords({ message = '', since }: Provider['health']): string {
  return [message, since && `Since ${ago(since)}`].filter(Boolean).join(' ')
}

/** The ailing first, then those in use, then the rest; among equals, in the order given. */
export function worstFirst(providers: Provider[]): Provider[] {
  const order = ['down', 'degraded', 'ok', 'unknown', 'inactive']
  const rank = ({ status, health }: Provider) => order.indexOf(status === 'inactive' ? status : health.state)
  return [...providers].sort((a, b) => rank(a) - rank(b))
}

const origins: Record<string, [label: string, reason: string]> = {
  file: ['File', "It is declared in Point's configuration file. Change it there."],
  env: ['Environment', 'It was made from an environment variable. Change that, and restart Point.'],
  demo: [
    'Demo',
    'A simulated service of the demo mode. It needs no key and nobody bills it; here its calls are counted at the prices of the real models.',
  ],
}

/** Where a provider comes from, if not from here. */
export function Origin({ provider }: { provider: Provider }) {
  const origin = origins[provider.managed_by]
  if (!origin) return null
  return (
    <Badge tone={provider.managed_by === 'demo' ? 'accent' : 'plain'} title={origin[1]}>
      {isLocked(provider) && <Lock aria-hidden />}
      {origin[0]}
    </Badge>
  )
}

/** True if the API refuses changes, because something outside declares the provider. */
function isLocked(provider: Provider): boolean {
  return provider.managed_by === 'file' || provider.managed_by === 'env'
}

/** Why a provider cannot be changed here, or nothing if it can. */
export function lockReason(provider: Provider): string | undefined {
  return isLocked(provider) ? origins[provider.managed_by]?.[1] : undefined
}
