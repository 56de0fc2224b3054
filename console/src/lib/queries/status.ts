import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '../client'

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/status', { signal })),
  refetchInterval: 15_000,
})

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/models', { signal })),
})

export const alertsQuery = (status: 'open' | 'resolved') =>
  queryOptions({
    queryKey: ['alerts', status],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/alerts', { params: { query: { status, limit: 100 } }, signal })),
    refetchInterval: 30_000,
  })
