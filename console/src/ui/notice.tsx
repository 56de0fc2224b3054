import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '~/lib/cx'
import { asProblem } from '~/lib/problem'
import type { Tone } from './badge'
import { Button } from './button'

const looks = {
  ok: ['border-ok/35 bg-ok-soft', 'text-ok', CircleCheck],
  warn: ['border-warn/35 bg-warn-soft', 'text-warn', TriangleAlert],
  bad: ['border-bad/35 bg-bad-soft', 'text-bad', CircleAlert],
  accent: ['border-accent/35 bg-accent-soft', 'text-accent', Info],
  plain: ['border-line bg-sunken', 'text-ink-2', Info],
} satisfies Record<Tone, [string, string, typeof Info]>

/** A message in the flow of a page. */
export function Notice({
  tone,
  title,
  children,
  action,
}: {
  tone: Tone
  title?: string
  children?: ReactNode
  action?: ReactNode
}) {
  const [box, ink, Icon] = looks[tone]
  return (
    <div
      role={tone === 'bad' ? 'alert' : undefined}
      className={cx('flex gap-3 rounded-md border px-3.5 py-3', box)}
    >
      <Icon aria-hidden className={cx('mt-0.5 size-4 shrink-0', ink)} />
      <div className="flex min-w-0 flex-1 flex-wrap items-center justify-between gap-x-5 gap-y-2">
        <div className="min-w-0">
          {title && <p className="font-[620]">{title}</p>}
          {children && <div className="text-ink-2">{children}</div>}
        </div>
        {action}
      </div>
    </div>
  )
}

/** A failed query: what happened, and the way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = asProblem(error)
  return (
    <Notice
      tone="bad"
      title={problem.title}
      action={
        retry && (
          <Button size="sm" onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      {problem.message}
    </Notice>
  )
}
