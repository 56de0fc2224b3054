import { Outlet, useMatches, useNavigate, useRouterState } from '@tanstack/react-router'
import { Menu } from 'lucide-react'
import { lazy, type RefObject, Suspense, useEffect, useRef, useState } from 'react'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { useSessionState } from '~/lib/session'
import { IconButton } from '~/ui/button'
import { MayNot } from './may-not'
import { Brand, SideContent } from './side'

const MobileNav = lazy(() => import('./mobile-nav').then((module) => ({ default: module.MobileNav })))

/** The frame around every page: navigation at the side, or behind a button where it is narrow. */
export function Shell() {
  useSignedOut()
  const main = useRef<HTMLElement>(null)
  useFocusOnNavigation(main)
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[13.5rem_1fr]">
      <button
        type="button"
        onClick={() => main.current?.focus()}
        className="sr-only rounded-md bg-surface focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:px-4 focus:py-2 focus:shadow-(--lift)"
      >
        Skip to the content
      </button>
      <aside className="sticky top-0 hidden h-dvh flex-col border-r border-line bg-sunken md:flex">
        <SideContent />
      </aside>
      <TopBar />
      <main ref={main} id="main" tabIndex={-1} className="min-w-0 outline-none">
        <Content />
      </main>
    </div>
  )
}

/** The page, or why it is not shown. */
function Content() {
  const needed = useMatches({ select: (matches) => matches.at(-1)?.staticData.needs })
  const allowed = useMay(...(needed ?? []))
  return needed && !allowed ? <MayNot needed={needed} /> : <Outlet />
}

function TopBar() {
  const [open, setOpen] = useState(false)
  const [wanted, setWanted] = useState(false)
  return (
    <header className="sticky top-0 z-30 flex h-14 items-center justify-between border-b border-line bg-sunken px-4 md:hidden">
      <Brand />
      <IconButton
        label="Open navigation"
        aria-expanded={open}
        onClick={() => {
          setWanted(true)
          setOpen(true)
        }}
      >
        <Menu />
      </IconButton>
      {wanted && (
        <Suspense>
          <MobileNav open={open} onOpenChange={setOpen} />
        </Suspense>
      )}
    </header>
  )
}

/** Leads to the sign-in page when the session ends under an open page. */
function useSignedOut() {
  const session = useSessionState()
  const navigate = useNavigate()
  const href = useRouterState({ select: (state) => state.location.href })
  useEffect(() => {
    if (session === 'out' && !href.startsWith('/sign-in')) {
      void navigate({ ...paths.signIn(href), ignoreBlocker: true })
    }
  }, [session, href, navigate])
}

/** Moves the focus to the content when the page changes, as a full load would. */
function useFocusOnNavigation(main: RefObject<HTMLElement | null>) {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname })
  const last = useRef(path)
  useEffect(() => {
    if (last.current !== undefined && last.current !== path) main.current?.focus({ preventScroll: true })
    last.current = path
  }, [path, main])
}
