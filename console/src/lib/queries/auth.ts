import { queryOptions, useQuery } from '@tanstack/react-query'
import type { components } from '../api.gen'
import { api, settle, unwrap } from '../client'
import { may } from '../may'
import { enter, leave } from '../session'

/** Who is signed in and what they may do. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/auth/me', { signal })),
  staleTime: 60_000,
})

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/setup', { signal })),
})

/** The ways to sign in that there are. */
export const methodsQuery = queryOptions({
  queryKey: ['methods'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/auth/methods', { signal })),
})

export async function signIn(body: components['schemas']['Login']): Promise<void> {
  const { access_token } = await unwrap(api.POST('/api/auth/login', { body }))
  enter(access_token)
}

export async function setUp(body: components['schemas']['Setup']): Promise<void> {
  const { access_token } = await unwrap(api.POST('/api/setup', { body }))
  enter(access_token)
}

/** Ends the session on the server; here it ends in any case. */
export async function signOut(): Promise<void> {
  try {
    await settle(api.POST('/api/auth/logout'))
  } finally {
    leave()
  }
}

/** True if the user has any one of the permissions; false until that is known. */
export function useMay(...anyOf: string[]): boolean {
  return may(useQuery(meQuery).data, anyOf)
}

/** The reason why the user may not do something, or nothing if they may. */
export function useForbidden(permission: string, action: string): string | undefined {
  const { data: me } = useQuery(meQuery)
  if (!me || may(me, [permission])) return undefined
  return `Your role, ${me.role}, may not ${action}. Ask an owner or admin.`
}
