import { queryOptions } from '@tanstack/react-query'
import type { components } from '../api.gen'
import { api, unwrap, unwrapVersioned } from '../client'

export const endpointKeys = ['endpoints'] as const

export const endpointsQuery = queryOptions({
  queryKey: [...endpointKeys, 'list'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/endpoints', { signal })),
})

export const endpointQuery = (id: string) =>
  queryOptions({
    queryKey: [...endpointKeys, 'one', id],
    queryFn: ({ signal }) =>
      unwrapVersioned(api.GET('/api/endpoints/{id}', { params: { path: { id } }, signal })),
  })

export function updateEndpoint(id: string, etag: string, body: components['schemas']['UpdateEndpoint']) {
  return unwrapVersioned(
    api.PUT('/api/endpoints/{id}', { body, params: { path: { id }, header: { 'If-Match': etag } } }),
  )
}
