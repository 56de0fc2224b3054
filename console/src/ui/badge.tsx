import type { ReactNode } from 'react'
import { cx } from '~/lib/cx'

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'plain'

const tones: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  accent: 'bg-accent-soft text-accent',
  plain: 'bg-sunken text-ink-2',
}

/** A short word on a tinted ground. The word carries the meaning, the tone only helps. */
export function Badge({
  tone = 'plain',
  title,
  children,
}: {
  tone?: Tone
  title?: string
  children: ReactNode
}) {
  return (
    <span
      title={title}
      className={cx(
        'inline-flex items-center gap-1 rounded-sm px-1.5 py-px text-xs font-[550] whitespace-nowrap [&_svg]:size-3',
        tones[tone],
      )}
    >
      {children}
    </span>
  )
}

const dots: Record<Tone, string> = {
  ok: 'bg-ok',
  warn: 'bg-warn',
  bad: 'bg-bad',
  accent: 'bg-accent',
  plain: 'border-[1.5px] border-ink-3',
}

/** A word with a dot before it: a state that lasts. */
export function State({
  tone,
  title,
  children,
}: {
  tone: Tone
  title?: string | undefined
  children: ReactNode
}) {
  return (
    <span title={title} className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden className={cx('size-2 shrink-0 rounded-full', dots[tone])} />
      {children}
    </span>
  )
}
