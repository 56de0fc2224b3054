import { linkOptions } from '@tanstack/react-router'
import type { RequestFilter } from './queries/requests'

/**
 * Where every page of the console is. A link is <Link {...paths.request(id)}>, a move is
 * navigate(paths.keys()); no other file spells a path.
 */
export const paths = {
  overview: () => linkOptions({ to: '/' }),
  requests: (search: RequestFilter = {}) => linkOptions({ to: '/requests', search }),
  request: (id: string) => linkOptions({ to: '/requests/$id', params: { id } }),
  playground: () => linkOptions({ to: '/playground' }),
  providers: () => linkOptions({ to: '/providers' }),
  provider: (id: string) => linkOptions({ to: '/providers/$id', params: { id } }),
  /** Without a kind, the choice among them. */
  newProvider: (kind?: string) => linkOptions({ to: '/providers/new', search: { kind } }),
  endpoints: () => linkOptions({ to: '/endpoints' }),
  endpoint: (id: string) => linkOptions({ to: '/endpoints/$id', params: { id } }),
  keys: () => linkOptions({ to: '/keys' }),
  alerts: () => linkOptions({ to: '/alerts' }),
  /** next is where to go on after it; the overview needs no word. */
  signIn: (next?: string) =>
    linkOptions({ to: '/sign-in', search: { next: next === '/' ? undefined : next } }),
  setUp: () => linkOptions({ to: '/setup', search: {} }),
}
