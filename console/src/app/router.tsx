import { createRouter } from '@tanstack/react-router'
import { PageSkeleton } from '~/ui/page'
import { newQueryClient } from './query-client'
import { RouteFailure } from './route-failure'
import { routeTree } from './routes'

export const queries = newQueryClient()

export const router = createRouter({
  routeTree,
  context: { queries },
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultPendingComponent: PageSkeleton,
  defaultPendingMs: 150,
  defaultErrorComponent: RouteFailure,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
