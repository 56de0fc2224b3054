import type { ReactNode } from 'react'
import { useEffect } from 'react'
import { cx } from '~/lib/cx'

interface PageProps {
  title: string
  /** One sentence under the title. */
  lead?: ReactNode
  /** Stands above the title: the way back. */
  above?: ReactNode
  /** Stands beside the title. */
  aside?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** The frame of every page: its title, which is also the document's, its actions, its content. */
export function Page({ title, lead, above, aside, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Point`
  }, [title])
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-6 pb-16 sm:px-8 sm:pt-9">
      {above && <div className="mb-2 text-sm">{above}</div>}
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="text-xl font-[620]">{title}</h1>
            {aside}
          </div>
          {lead && <p className="mt-1 max-w-prose text-ink-2">{lead}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** A surface with a hairline border, and a heading if it is given one. */
export function Card({
  title,
  actions,
  flush,
  className,
  children,
}: {
  title?: ReactNode
  actions?: ReactNode
  /** Content goes to the edges. */
  flush?: boolean
  className?: string
  children: ReactNode
}) {
  return (
    <section className={cx('min-w-0 rounded-lg border border-line bg-surface', className)}>
      {title && (
        <div className="flex min-h-12 flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2 sm:px-5">
          <h2 className="text-base font-[620]">{title}</h2>
          {actions}
        </div>
      )}
      <div className={flush ? '' : 'p-4 sm:p-5'}>{children}</div>
    </section>
  )
}

/** What a list shows when it has nothing: why, and the next step. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="flex flex-col items-center px-6 py-12 text-center">
      <span
        aria-hidden
        className="mb-4 grid size-9 place-items-center rounded-full border border-line-strong"
      >
        <span className="size-2 rounded-full bg-line-strong" />
      </span>
      <p className="font-[620]">{title}</p>
      {children && <div className="mt-1 max-w-md text-ink-2">{children}</div>}
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  )
}

/** Label and value pairs. */
export function Facts({ items }: { items: [label: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(5rem,auto)_1fr] gap-x-4 gap-y-2 sm:grid-cols-[minmax(6.5rem,auto)_1fr] sm:gap-x-5">
      {items.map(([label, value]) => (
        <div key={label} className="contents">
          <dt className="text-ink-3">{label}</dt>
          <dd className="num min-w-0 wrap-anywhere">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A grey stand-in while something loads. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <div
      aria-hidden
      className={cx('animate-[breathe_1.6s_ease-in-out_infinite] rounded-md bg-hover', className)}
    />
  )
}

/** A page while its code or data are on the way. */
export function PageSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="mx-auto w-full max-w-6xl px-4 pt-6 sm:px-8 sm:pt-9">
      <Skeleton className="h-7 w-44" />
      <Skeleton className="mt-3 h-5 w-72 max-w-full" />
      <Skeleton className="mt-7 h-64 w-full" />
    </div>
  )
}
