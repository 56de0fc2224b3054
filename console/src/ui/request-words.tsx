import type { RequestRecord } from '~/lib/schema'
import { State, type Tone } from './badge'

type Outcome = RequestRecord['outcome']

/** How a request ended, in words. */
export const outcomeWords: Record<Outcome, string> = {
  complete: 'Complete',
  client_cancelled: 'Client left',
  upstream_error: 'Provider failed',
  truncated: 'Cut off',
  rejected: 'Refused',
}

const tones: Record<Outcome, Tone> = {
  complete: 'ok',
  client_cancelled: 'plain',
  upstream_error: 'bad',
  truncated: 'bad',
  rejected: 'warn',
}

/** A request's status with the tone of its outcome. */
export function RequestState({ request, words }: { request: RequestRecord; words?: boolean }) {
  return (
    <State tone={tones[request.outcome]} title={outcomeWords[request.outcome]}>
      <span className="num">{request.status}</span>
      <span className={words ? '' : 'sr-only'}>{outcomeWords[request.outcome]}</span>
    </State>
  )
}
