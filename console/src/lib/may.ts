import type { Me } from './schema'

/** What each page needs: any one of these permissions. */
export const needs = {
  requests: ['requests:read', 'requests:own'],
  providers: ['providers:read'],
  endpoints: ['endpoints:read'],
  keys: ['keys:read', 'keys:own'],
  alerts: ['alerts:read'],
} as const

/** True if somebody has any one of the permissions. The server lists those that come with another one too. */
export function may(me: Pick<Me, 'permissions'> | undefined, anyOf: readonly string[]): boolean {
  return anyOf.some((permission) => me?.permissions.includes(permission))
}
