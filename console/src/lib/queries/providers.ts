import { queryOptions } from '@tanstack/react-query'
import type { components } from '../api.gen'
import { api, idempotencyKey, settle, unwrap, unwrapVersioned } from '../client'

export const providerKeys = ['providers'] as const

export const providersQuery = queryOptions({
  queryKey: [...providerKeys, 'list'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/providers', { params: { query: { limit: 500 } }, signal })),
  refetchInterval: 15_000,
})

export const providerQuery = (id: string) =>
  queryOptions({
    queryKey: [...providerKeys, 'one', id],
    queryFn: ({ signal }) =>
      unwrapVersioned(api.GET('/api/providers/{id}', { params: { path: { id } }, signal })),
    // Its health changes by itself.
    refetchInterval: 15_000,
  })

export const providerKindsQuery = queryOptions({
  queryKey: ['provider-kinds'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/provider-kinds', { signal })),
  staleTime: Number.POSITIVE_INFINITY,
})

export function createProvider(body: components['schemas']['CreateProvider']) {
  return unwrap(
    api.POST('/api/providers', { body, params: { header: { 'Idempotency-Key': idempotencyKey() } } }),
  )
}

export function updateProvider(id: string, etag: string, body: components['schemas']['UpdateProvider']) {
  return unwrapVersioned(
    api.PUT('/api/providers/{id}', { body, params: { path: { id }, header: { 'If-Match': etag } } }),
  )
}

export function deleteProvider(id: string, etag: string) {
  return settle(api.DELETE('/api/providers/{id}', { params: { path: { id }, header: { 'If-Match': etag } } }))
}

export function testProvider(id: string, body: components['schemas']['ProviderTest'], signal: AbortSignal) {
  return unwrap(api.POST('/api/providers/{id}/test', { body, params: { path: { id } }, signal }))
}
