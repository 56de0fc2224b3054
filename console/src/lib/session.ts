import { useSyncExternalStore } from 'react'

/**
 * The session: an access token that lives in memory alone, renewed through the refresh cookie
 * that no script can read. A reload asks for a new one.
 */
export type SessionState = 'unknown' | 'in' | 'out'

let token: string | undefined
let state: SessionState = 'unknown'
let refreshing: Promise<boolean> | undefined
const listeners = new Set<() => void>()

export function accessToken(): string | undefined {
  return token
}

export function sessionState(): SessionState {
  return state
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(subscribe, sessionState)
}

/** Takes over the token of a sign-in. */
export function enter(accessToken: string): void {
  token = accessToken
  set('in')
}

/** Forgets the token; the server's part of signing out is the caller's. */
export function leave(): void {
  token = undefined
  set('out')
}

/**
 * Asks for a new access token. Calls that meet share one request, so that a page full of
 * expired queries renews once. False means that the user has to sign in. Throws if there was
 * no answer, or one that says nothing about the session: then it is kept as it is.
 */
export function refresh(): Promise<boolean> {
  refreshing ??= renew().finally(() => {
    refreshing = undefined
  })
  return refreshing
}

async function renew(): Promise<boolean> {
  const response = await fetch('/api/auth/refresh', { method: 'POST', credentials: 'same-origin' })
  if (response.ok) {
    const body: { access_token: string } = await response.json()
    enter(body.access_token)
    return true
  }
  if (response.status >= 500 || response.status === 429) {
    throw new TypeError(`refresh answered ${response.status}`)
  }
  leave()
  return false
}

function set(next: SessionState): void {
  if (state === next) return
  state = next
  for (const listener of listeners) listener()
}

/** Calls listener whenever the state changes; the result ends that. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
