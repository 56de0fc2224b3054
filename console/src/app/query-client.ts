import { QueryClient } from '@tanstack/react-query'
import { mayHeal } from '~/lib/problem'

/** Queries repeat what may heal by itself: no answer, or a fault of the server's. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: mayHeal,
      },
    },
  })
}
