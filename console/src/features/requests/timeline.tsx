import { cx } from '~/lib/cx'
import { duration } from '~/lib/format'
import type { Attempt, RequestRecord } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { outcomeTones, outcomeWords } from '~/ui/request-words'

/** The attempts of a request on one time axis, from its arrival to its last byte. */
export function Timeline({ request }: { request: RequestRecord }) {
  if (request.attempts.length === 0) {
    return (
      <p className="text-ink-2">
        No provider was asked.{' '}
        {request.cache_hit ? 'The cache had the answer.' : 'The request was refused before that.'}
      </p>
    )
  }
  const whole = Math.max(
    request.response_time,
    ...request.attempts.map((attempt) => attempt.start_ms + attempt.duration_ms),
    1,
  )
  return (
    <ol className="space-y-4">
      {request.attempts.map((attempt, index) => (
        <Row
          // biome-ignore lint/suspicious/noArrayIndexKey: attempts have no id and never move.
          key={index}
          number={index + 1}
          attempt={attempt}
          whole={whole}
          ending={index === request.attempts.length - 1 ? request : undefined}
        />
      ))}
    </ol>
  )
}

/** The least width of a bar, in percent, so that the shortest attempt can be seen. */
const thinnest = 0.6

interface RowProps {
  number: number
  attempt: Attempt
  whole: number
  /** The request, if this attempt is its last: what came after the answer had begun belongs to it. */
  ending: RequestRecord | undefined
}

function Row({ number, attempt, whole, ending }: RowProps) {
  const failed = Boolean(attempt.error)
  const headEnd = attempt.start_ms + attempt.duration_ms
  const end = ending && !failed ? Math.max(ending.response_time, headEnd) : headEnd
  const broken = Boolean(ending && !failed && ending.outcome !== 'complete')
  const share = (ms: number) => (ms / whole) * 100
  const width = Math.max(share(attempt.duration_ms), thinnest)
  return (
    <li>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <p>
          <span className="num mr-2 text-ink-3">{number}</span>
          <span className="font-[580]">{attempt.provider}</span>
          <span className="text-ink-2"> / {attempt.model}</span>
        </p>
        <p className="num flex items-center gap-2 text-sm text-ink-3">
          {attempt.start_ms > 0 && `after ${duration(attempt.start_ms)}, `}
          {duration(attempt.duration_ms)}
          <Badge tone={failed ? 'bad' : 'ok'}>{failed ? attempt.error : (attempt.status ?? 'ok')}</Badge>
          {ending && broken && (
            <Badge tone={outcomeTones[ending.outcome]}>{outcomeWords[ending.outcome]}</Badge>
          )}
        </p>
      </div>
      <svg
        aria-hidden
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        className="mt-1.5 h-2 w-full rounded-full bg-sunken"
      >
        <rect
          x={Math.min(share(attempt.start_ms), 100 - width)}
          width={width}
          height="6"
          className={cx(failed ? 'fill-bad' : 'fill-accent')}
        />
        {end > headEnd && (
          <rect
            x={share(headEnd)}
            width={share(end - headEnd)}
            height="6"
            className={cx('opacity-40', broken ? 'fill-bad' : 'fill-accent')}
          />
        )}
      </svg>
      {attempt.message && <p className="mt-1.5 text-sm text-ink-2">{attempt.message}</p>}
    </li>
  )
}
