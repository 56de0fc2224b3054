import { Link, type LinkProps, useLocation, useSearch } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '~/lib/cx'

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** How the list stood that the page was opened from: its path, and the search part of its URL. */
    list?: { path: string; search: Record<string, unknown> }
  }
}

/** A link of a row's thing, which makes the whole row clickable; the page behind it leads back to the list as it stood. */
export function RowLink({
  link,
  title,
  className,
  children,
}: {
  link: LinkProps
  title?: string
  className?: string
  children: ReactNode
}) {
  const search = useSearch({ strict: false })
  const path = useLocation({ select: (location) => location.pathname })
  return (
    <Link
      {...link}
      state={{ list: { path, search } }}
      title={title}
      className={cx('font-[550] after:absolute after:inset-0 hover:text-accent', className)}
    >
      {children}
    </Link>
  )
}

/** The way up from a page, above its title. */
export function BackLink({ link, children }: { link: LinkProps; children: ReactNode }) {
  const list = useLocation({ select: (location) => location.state.list })
  const back = list && list.path === link.to ? { ...link, search: list.search } : link
  return (
    <Link {...(back as LinkProps)} className="inline-flex items-center gap-1.5 text-ink-2 hover:text-ink">
      <ArrowLeft aria-hidden className="size-3.5" /> {children}
    </Link>
  )
}
