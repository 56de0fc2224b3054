import { money, nothing } from '~/lib/format'
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

/** The tone that each outcome has. */
export const outcomeTones: Record<Outcome, Tone> = {
  complete: 'ok',
  client_cancelled: 'plain',
  upstream_error: 'bad',
  truncated: 'bad',
  rejected: 'warn',
}

/** A request's status with the tone of its outcome. */
export function RequestState({ request, words }: { request: RequestRecord; words?: boolean }) {
  return (
    <State tone={outcomeTones[request.outcome]} title={outcomeWords[request.outcome]}>
      <span className="num">{request.status}</span>
      <span className={words ? '' : 'sr-only'}>{outcomeWords[request.outcome]}</span>
    </State>
  )
}

/** The same for a list: what did not end well says so beneath, so that the dot's colour is not all there is. */
export function RequestStateCell({ request }: { request: RequestRecord }) {
  const fine = request.outcome === 'complete'
  return (
    <>
      <RequestState request={request} />
      {!fine && (
        <span aria-hidden className="block pl-4 text-xs whitespace-nowrap text-ink-3">
          {outcomeWords[request.outcome]}
        </span>
      )}
    </>
  )
}

/** What a request cost. Unknown is a word of its own: nobody was asked is not the same as nobody knows. */
export function costWords(request: Pick<RequestRecord, 'cost' | 'tokens_input' | 'tokens_output'>): string {
  if (request.cost !== null) return money(request.cost)
  return request.tokens_input === null && request.tokens_output === null ? nothing : 'Unknown'
}
