import { cx } from '~/lib/cx'
import { duration } from '~/lib/format'
import type { Attempt, RequestRecord } from '~/lib/schema'
import { Badge } from '~/ui/badge'

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
          last={index === request.attempts.length - 1}
          end={request.response_time}
        />
      ))}
    </ol>
  )
}

interface RowProps {
  number: number
  attempt: Attempt
  whole: number
  last: boolean
  end: number
}

function Row({ number, attempt, whole, last, end }: RowProps) {
  const failed = Boolean(attempt.error)
  const headEnd = attempt.start_ms + attempt.duration_ms
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
        </p>
      </div>
      <svg
        aria-hidden
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        className="mt-1.5 h-2 w-full rounded-full bg-sunken"
      >
        <rect
          x={(attempt.start_ms / whole) * 100}
          width={Math.max((attempt.duration_ms / whole) * 100, 0.6)}
          height="6"
          className={cx(failed ? 'fill-bad' : 'fill-accent')}
        />
        {last && !failed && end > headEnd && (
          <rect
            x={(headEnd / whole) * 100}
            width={((end - headEnd) / whole) * 100}
            height="6"
            className="fill-accent opacity-40"
          />
        )}
      </svg>
      {attempt.message && <p className="mt-1.5 text-sm text-ink-2">{attempt.message}</p>}
    </li>
  )
}
