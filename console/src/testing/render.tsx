import { createMemoryHistory } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { vi } from 'vitest'
import { App } from '~/app/app'
import { newQueryClient } from '~/app/query-client'
import { newRouter } from '~/app/router'
import { leave } from '~/lib/session'
import { freshPoint } from './fake-data'
import { FakePoint } from './fake-point'

/** Opens a page of the whole console over a fake Point, with a session unless told otherwise. */
export function openPage(
  path: string,
  fake = new FakePoint({ data: freshPoint(Date.now()) }),
  signedIn = true,
) {
  leave()
  fake.signedIn = signedIn
  vi.stubGlobal('fetch', (input: RequestInfo | URL, init?: RequestInit) => {
    const request =
      input instanceof Request ? input : new Request(new URL(String(input), location.origin), init)
    return fake.handle(request)
  })
  const queries = newQueryClient()
  const router = newRouter(queries, createMemoryHistory({ initialEntries: [path] }))
  render(<App queries={queries} router={router} />)
  return { fake, router, user: userEvent.setup() }
}
