import { CSPProvider } from '@base-ui/react/csp-provider'
import { Tooltip } from '@base-ui/react/tooltip'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type RegisteredRouter, RouterProvider } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react'
import { onToasts, waitingToasts } from '~/ui/toast'

const Toasts = lazy(() => import('~/ui/toasts').then((module) => ({ default: module.Toasts })))

/** The whole console. The policy forbids style elements, so Base UI must not make any. */
export function App({ queries, router }: { queries: QueryClient; router: RegisteredRouter }) {
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <Tooltip.Provider>
          <RouterProvider router={router} />
          <LazyToasts />
        </Tooltip.Provider>
      </QueryClientProvider>
    </CSPProvider>
  )
}

/** The first toast brings what shows it. */
function LazyToasts() {
  const waiting = useSyncExternalStore(onToasts, waitingToasts)
  const [wanted, setWanted] = useState(false)
  useEffect(() => {
    if (waiting.length > 0) setWanted(true)
  }, [waiting])
  if (!wanted) return null
  return (
    <Suspense>
      <Toasts />
    </Suspense>
  )
}
