import { expect, test, vi } from 'vitest'
import { freshPoint } from '~/testing/fake-data'
import { FakePoint } from '~/testing/fake-point'
import { api, unwrap } from './client'
import type { Problem } from './problem'
import { leave, refresh, sessionState } from './session'

function start(signedIn: boolean): FakePoint {
  leave()
  const fake = new FakePoint({ data: freshPoint(0) })
  fake.signedIn = signedIn
  vi.stubGlobal('fetch', (input: Request | string, init?: RequestInit) =>
    fake.handle(input instanceof Request ? input : new Request(new URL(input, location.origin), init)),
  )
  return fake
}

const refreshes = (fake: FakePoint) => fake.calls.filter((call) => call.endsWith('/auth/refresh')).length

test('calls that meet an expired token renew it once, and all succeed', async () => {
  const fake = start(true)
  await refresh()
  fake.expireToken()
  const lists = await Promise.all([1, 2, 3].map(() => unwrap(api.GET('/api/providers'))))
  expect(lists.map((list) => list.data.length)).toEqual([3, 3, 3])
  expect(refreshes(fake)).toBe(2)
})

test('a body is sent again with the new token', async () => {
  const fake = start(true)
  await refresh()
  fake.expireToken()
  const key = await unwrap(api.POST('/api/keys', { body: { name: 'again' } }))
  expect(key.name).toBe('again')
})

test('without a session the call fails as a 401, and the state says out', async () => {
  const fake = start(false)
  await expect(unwrap(api.GET('/api/providers'))).rejects.toMatchObject({
    status: 401,
  } satisfies Partial<Problem>)
  expect(sessionState()).toBe('out')
  expect(refreshes(fake)).toBe(1)
})

test('a server that is down ends no session', async () => {
  start(true)
  await refresh()
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }))
  await expect(refresh()).rejects.toThrow()
  expect(sessionState()).toBe('in')
})
