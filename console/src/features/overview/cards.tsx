import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ago, count, fullTime } from '~/lib/format'
import { needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { requestsQuery } from '~/lib/queries/requests'
import { alertsQuery } from '~/lib/queries/status'
import type { Provider, RequestRecord } from '~/lib/schema'
import { gravestFirst, severityTone } from '~/ui/alert-words'
import { Failure, Notice } from '~/ui/notice'
import { Card, Empty, Skeleton } from '~/ui/page'
import { Health, Origin, worstFirst } from '~/ui/provider-words'
import { RequestState } from '~/ui/request-words'

const more = 'text-sm text-ink-2 underline-offset-2 hover:text-ink hover:underline'

/** The gravest open alert, and how many more there are. */
export function OpenAlerts() {
  const { data } = useQuery({ ...alertsQuery('open'), enabled: useMay(...needs.alerts) })
  const [first] = gravestFirst(data?.data ?? [])
  const more = (data?.total ?? data?.data.length ?? 0) - 1
  if (!first) return null
  return (
    <div className="mb-5">
      <Notice
        tone={severityTone(first)}
        title={first.message}
        action={
          <Link {...paths.alerts()} className="link">
            {more > 0 ? `Show it and ${count(more)} more` : 'Show alerts'}
          </Link>
        }
      >
        {first.subject}, {ago(first.last_at)}
      </Notice>
    </div>
  )
}

const failures = ['upstream_error', 'truncated', 'rejected'] as const

export function RecentFailures() {
  const lists = useQueries({ queries: failures.map((outcome) => requestsQuery({ outcome, limit: 6 })) })
  const pending = lists.some((list) => list.isPending)
  const failed = lists.find((list) => list.isError)
  const rows = lists
    .flatMap((list) => list.data?.data ?? [])
    .sort((a, b) => b.timestamp.localeCompare(a.timestamp))
    .slice(0, 7)
  return (
    <Card
      flush
      title="Recent failures"
      actions={
        <Link {...paths.requests({ outcome: 'upstream_error' })} className={more}>
          Provider failures
        </Link>
      }
    >
      {pending ? (
        <Skeleton className="m-5 h-40" />
      ) : failed ? (
        <div className="p-5">
          <Failure error={failed.error} retry={() => lists.forEach((list) => void list.refetch())} />
        </div>
      ) : rows.length === 0 ? (
        <Empty title="Nothing failed">Failed, refused and cut requests appear here.</Empty>
      ) : (
        <ul>
          {rows.map((request) => (
            <li
              key={request.id}
              className="relative border-b border-line px-4 py-2.5 last:border-b-0 hover:bg-hover/60 sm:px-5"
            >
              <FailureRow request={request} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function FailureRow({ request }: { request: RequestRecord }) {
  return (
    <>
      <div className="flex items-baseline justify-between gap-4">
        <Link
          {...paths.request(request.id)}
          className="min-w-0 truncate font-[550] after:absolute after:inset-0"
        >
          {request.model || request.endpoint}
        </Link>
        <span className="shrink-0 text-sm text-ink-3" title={fullTime(request.timestamp)}>
          {ago(request.timestamp)}
        </span>
      </div>
      <div className="flex items-baseline gap-3 text-sm text-ink-2">
        <RequestState request={request} />
        <span className="min-w-0 truncate">
          {request.error_message || request.error_code || request.provider}
        </span>
      </div>
    </>
  )
}

/** How many providers the overview shows. */
const shown = 8

export function ProvidersHealth({ providers, total }: { providers: Provider[]; total: number | null }) {
  return (
    <Card
      flush
      title="Providers"
      actions={
        <Link {...paths.providers()} className={more}>
          {providers.length > shown && total !== null ? `All ${count(total)}` : 'All'}
        </Link>
      }
    >
      {providers.length === 0 ? (
        <Empty title="No providers">
          <Link {...paths.newProvider()} className="link">
            Add an AI service
          </Link>
        </Empty>
      ) : (
        <ul>
          {worstFirst(providers)
            .slice(0, shown)
            .map((provider) => (
              <li
                key={provider.id}
                className="relative flex items-center justify-between gap-4 border-b border-line px-4 py-2.5 last:border-b-0 hover:bg-hover/60 sm:px-5"
              >
                <span className="flex min-w-0 items-center gap-2">
                  <Link
                    {...paths.provider(provider.id)}
                    className="truncate font-[550] after:absolute after:inset-0"
                  >
                    {provider.name}
                  </Link>
                  <Origin provider={provider} />
                </span>
                <Health provider={provider} />
              </li>
            ))}
        </ul>
      )}
    </Card>
  )
}
