import type { ReactNode } from 'react'
import { useEffect } from 'react'
import { Mark } from '~/ui/mark'

/** The frame of the pages before the session: one narrow column. */
export function AuthFrame({
  title,
  lead,
  children,
}: {
  title: string
  lead: ReactNode
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · Point`
  }, [title])
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center px-5 py-12">
      <Mark className="mb-8 size-10" />
      <h1 className="text-2xl font-[640] tracking-tight">{title}</h1>
      <div className="mt-2 mb-7 text-ink-2">{lead}</div>
      {children}
    </main>
  )
}
