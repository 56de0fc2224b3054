import { queryOptions } from '@tanstack/react-query'
import type { components } from '../api.gen'
import { api, idempotencyKey, settle, unwrap } from '../client'

export const keyKeys = ['keys'] as const

export const keysQuery = queryOptions({
  queryKey: [...keyKeys, 'list'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/keys', { params: { query: { limit: 500 } }, signal })),
})

export function createKey(body: components['schemas']['CreateKey']) {
  return unwrap(api.POST('/api/keys', { body, params: { header: { 'Idempotency-Key': idempotencyKey() } } }))
}

/** version is the key's own, which is its ETag. */
export function updateKey(id: string, version: number, body: components['schemas']['UpdateKey']) {
  return unwrap(
    api.PUT('/api/keys/{id}', { body, params: { path: { id }, header: { 'If-Match': `"${version}"` } } }),
  )
}

export function deleteKey(id: string, version: number) {
  return settle(
    api.DELETE('/api/keys/{id}', { params: { path: { id }, header: { 'If-Match': `"${version}"` } } }),
  )
}
