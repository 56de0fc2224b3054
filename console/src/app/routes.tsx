import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { may, needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { meQuery } from '~/lib/queries/auth'
import { endpointQuery, endpointsQuery } from '~/lib/queries/endpoints'
import { keysQuery } from '~/lib/queries/keys'
import { providerKindsQuery, providerQuery, providersQuery } from '~/lib/queries/providers'
import { requestQuery } from '~/lib/queries/requests'
import { alertsQuery } from '~/lib/queries/status'
import {
  listSearch,
  overviewSearch,
  playgroundSearch,
  providerNewSearch,
  requestsSearch,
  setupSearch,
  signInSearch,
} from '~/lib/search'
import { refresh, sessionState } from '~/lib/session'
import { NotFound } from './not-found'
import { Shell } from './shell'

/** What every route can reach. */
interface Context {
  queries: QueryClient
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /** The page is for those who have any one of these permissions; without, for everybody. */
    needs?: readonly string[]
  }
}

const root = createRootRouteWithContext<Context>()({ component: Outlet })

// Pages that need no session.

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: setupSearch,
  component: lazyRouteComponent(() => import('~/features/auth/setup'), 'SetupPage'),
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: signInSearch,
  component: lazyRouteComponent(() => import('~/features/auth/sign-in'), 'SignInPage'),
})

// Everything below the shell has one.

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ context, location, matches }) => {
    if (sessionState() !== 'in' && !(await refresh())) {
      throw redirect(paths.signIn(location.href))
    }
    const me = await context.queries.ensureQueryData(meQuery)
    const needed = matches.at(-1)?.staticData.needs
    // What may not be seen is not asked for; the shell says so in its place.
    return { allowed: !needed || may(me, needed) }
  },
})

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  validateSearch: overviewSearch,
  component: lazyRouteComponent(() => import('~/features/overview/overview'), 'OverviewPage'),
})

const providers = createRoute({
  getParentRoute: () => shell,
  path: '/providers',
  staticData: { needs: needs.providers },
  validateSearch: listSearch,
  loader: ({ context }) => context.allowed && context.queries.ensureQueryData(providersQuery),
  component: lazyRouteComponent(() => import('~/features/providers/list'), 'ProvidersPage'),
})

const providerNew = createRoute({
  getParentRoute: () => shell,
  path: '/providers/new',
  staticData: { needs: needs.providers },
  validateSearch: providerNewSearch,
  loader: ({ context }) => context.allowed && context.queries.ensureQueryData(providerKindsQuery),
  component: lazyRouteComponent(() => import('~/features/providers/new'), 'NewProviderPage'),
})

const provider = createRoute({
  getParentRoute: () => shell,
  path: '/providers/$id',
  staticData: { needs: needs.providers },
  loader: ({ context, params }) =>
    context.allowed &&
    Promise.all([
      context.queries.ensureQueryData(providerQuery(params.id)),
      context.queries.ensureQueryData(providerKindsQuery),
    ]),
  component: lazyRouteComponent(() => import('~/features/providers/detail'), 'ProviderPage'),
})

const requests = createRoute({
  getParentRoute: () => shell,
  path: '/requests',
  staticData: { needs: needs.requests },
  validateSearch: requestsSearch,
  component: lazyRouteComponent(() => import('~/features/requests/list'), 'RequestsPage'),
})

const request = createRoute({
  getParentRoute: () => shell,
  path: '/requests/$id',
  staticData: { needs: needs.requests },
  loader: ({ context, params }) =>
    context.allowed && context.queries.ensureQueryData(requestQuery(params.id)),
  component: lazyRouteComponent(() => import('~/features/requests/detail'), 'RequestPage'),
})

const playground = createRoute({
  getParentRoute: () => shell,
  path: '/playground',
  validateSearch: playgroundSearch,
  component: lazyRouteComponent(() => import('~/features/playground/playground'), 'PlaygroundPage'),
})

const endpoints = createRoute({
  getParentRoute: () => shell,
  path: '/endpoints',
  staticData: { needs: needs.endpoints },
  loader: ({ context }) => context.allowed && context.queries.ensureQueryData(endpointsQuery),
  component: lazyRouteComponent(() => import('~/features/endpoints/list'), 'EndpointsPage'),
})

const endpoint = createRoute({
  getParentRoute: () => shell,
  path: '/endpoints/$id',
  staticData: { needs: needs.endpoints },
  loader: ({ context, params }) =>
    context.allowed && context.queries.ensureQueryData(endpointQuery(params.id)),
  component: lazyRouteComponent(() => import('~/features/endpoints/detail'), 'EndpointPage'),
})

const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  staticData: { needs: needs.keys },
  validateSearch: listSearch,
  loader: ({ context }) => context.allowed && context.queries.ensureQueryData(keysQuery),
  component: lazyRouteComponent(() => import('~/features/keys/list'), 'KeysPage'),
})

const alerts = createRoute({
  getParentRoute: () => shell,
  path: '/alerts',
  staticData: { needs: needs.alerts },
  loader: ({ context }) => context.allowed && context.queries.ensureQueryData(alertsQuery('open')),
  component: lazyRouteComponent(() => import('~/features/alerts/list'), 'AlertsPage'),
})

// Any other path, within the frame, so that the navigation is at hand.
const nowhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound })

/** Every page of the console, one line each. */
export const routeTree = root.addChildren([
  setup,
  signIn,
  shell.addChildren([
    overview,
    providers,
    providerNew,
    provider,
    requests,
    request,
    playground,
    endpoints,
    endpoint,
    keys,
    alerts,
    nowhere,
  ]),
])
