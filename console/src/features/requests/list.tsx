import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { clock, compact, count, duration, fullTime, money, nothing } from '~/lib/format'
import { type LiveState, useLiveRequests } from '~/lib/live'
import { paths } from '~/lib/paths'
import { type RequestFilter, requestsQuery } from '~/lib/queries/requests'
import type { RequestRecord } from '~/lib/schema'
import { buttonClass } from '~/ui/button'
import { type Column, DataTable, onlyNarrow } from '~/ui/data-table'
import { RowLink } from '~/ui/list-link'
import { Failure } from '~/ui/notice'
import { Card, Empty, Page, Skeleton } from '~/ui/page'
import { RequestStateCell } from '~/ui/request-words'
import { Switch } from '~/ui/switch'
import { Filters } from './filters'
import { FindRequest } from './find'

const route = getRouteApi('/shell/requests')

const columns: Column<RequestRecord>[] = [
  {
    id: 'time',
    header: 'Time',
    cell: (request) => (
      <>
        <RowLink
          link={paths.request(request.id)}
          title={fullTime(request.timestamp)}
          className="num whitespace-nowrap"
        >
          {clock(request.timestamp)}
        </RowLink>
        <span className={`block max-w-44 truncate text-sm text-ink-2 ${onlyNarrow}`}>
          {request.model || nothing}
        </span>
      </>
    ),
  },
  { id: 'status', header: 'Status', cell: (request) => <RequestStateCell request={request} /> },
  {
    id: 'model',
    header: 'Model',
    not: 'narrow',
    grow: true,
    cell: (request) => (
      <span className="block min-w-24">
        <span className="block truncate" title={request.model}>
          {request.model || nothing}
        </span>
        <span className="block truncate text-sm text-ink-3">{request.provider || 'No provider'}</span>
      </span>
    ),
  },
  {
    id: 'endpoint',
    header: 'Endpoint, key',
    not: 'wide',
    cell: (request) => (
      <span className="block max-w-40 text-ink-2">
        <span className="block truncate" title={request.endpoint}>
          {request.endpoint}
        </span>
        <span className="block truncate text-sm text-ink-3" title={request.key}>
          {request.key || 'No key'}
        </span>
      </span>
    ),
  },
  {
    id: 'input',
    header: 'In',
    numeric: true,
    not: 'middle',
    cell: (request) => compact(request.tokens_input),
  },
  {
    id: 'output',
    header: 'Out',
    numeric: true,
    not: 'middle',
    cell: (request) => compact(request.tokens_output),
  },
  { id: 'ttft', header: 'First', numeric: true, not: 'wide', cell: (request) => duration(request.ttft) },
  {
    id: 'latency',
    header: 'Time taken',
    numeric: true,
    not: 'narrow',
    cell: (request) => duration(request.response_time),
  },
  { id: 'cost', header: 'Cost', numeric: true, not: 'middle', cell: (request) => money(request.cost) },
]

export function RequestsPage() {
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const [wanted, setWanted] = useState(true)
  const newest = filter.cursor === undefined
  const live = useLiveRequests(wanted && newest)
  const list = useQuery(requestsQuery({ ...filter, limit: 50 }))

  const change = useCallback(
    (part: Partial<RequestFilter>) => {
      void navigate({ search: (now) => ({ ...now, ...part, cursor: undefined }), replace: true })
    },
    [navigate],
  )
  const clear = useCallback(() => void navigate({ search: {} }), [navigate])

  return (
    <Page
      title="Requests"
      lead="Every request that a client key sent, newest first."
      actions={<Live state={live} wanted={wanted} paused={!newest} onChange={setWanted} />}
    >
      <div className="mb-5 space-y-4">
        <FindRequest />
        <Filters filter={filter} onChange={change} onClear={clear} />
      </div>
      <Card flush>
        {list.isPending ? (
          <Skeleton className="m-5 h-64" />
        ) : list.isError ? (
          <div className="p-5">
            <Failure error={list.error} retry={() => void list.refetch()} />
          </div>
        ) : list.data.data.length === 0 ? (
          <Nothing filtered={Object.values(filter).some((value) => value !== undefined)} />
        ) : (
          <DataTable
            label="Requests"
            columns={columns}
            data={list.data.data}
            rowKey={(request) => request.id}
          />
        )}
      </Card>
      {list.data && (
        <Pages
          total={list.data.total}
          shown={list.data.data.length}
          next={list.data.more ? list.data.cursor : ''}
          newest={newest}
          filter={filter}
        />
      )}
    </Page>
  )
}

function Live({
  state,
  wanted,
  paused,
  onChange,
}: {
  state: LiveState
  wanted: boolean
  paused: boolean
  onChange: (wanted: boolean) => void
}) {
  const words: Record<LiveState, string> = {
    off: paused ? 'Paused on older pages' : 'Paused',
    connecting: 'Connecting',
    live: 'Live',
    polling: 'Every 5 s',
  }
  return (
    <div className="flex h-9 items-center gap-2.5 text-sm text-ink-2">
      <span aria-live="polite">{words[state]}</span>
      <Switch
        label="Live updates"
        checked={wanted && !paused}
        disabledReason={paused && 'Older pages stand still. Go to the newest.'}
        onChange={onChange}
      />
    </div>
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty
        title="No request matches"
        action={
          <Link {...paths.requests()} className={buttonClass()}>
            Clear the filters
          </Link>
        }
      >
        Widen the filters, or look again later.
      </Empty>
    )
  }
  return (
    <Empty
      title="No requests yet"
      action={
        <Link {...paths.playground()} className={buttonClass('primary')}>
          Send one in the playground
        </Link>
      }
    >
      As soon as a client sends one, it stands here with its cost, its route and its timing.
    </Empty>
  )
}

function Pages({
  total,
  shown,
  next,
  newest,
  filter,
}: {
  total: number | null
  shown: number
  next: string
  newest: boolean
  filter: RequestFilter
}) {
  return (
    <nav
      aria-label="Pages"
      className="mt-4 flex flex-wrap items-center justify-between gap-3 text-sm text-ink-3"
    >
      <p className="num">{total === null ? `${shown} of more than 10,000` : `${shown} of ${count(total)}`}</p>
      <div className="flex gap-2">
        {!newest && (
          <Link
            {...paths.requests({ ...filter, cursor: undefined })}
            className={buttonClass('secondary', 'sm')}
          >
            Newest
          </Link>
        )}
        {next && (
          <Link {...paths.requests({ ...filter, cursor: next })} className={buttonClass('secondary', 'sm')}>
            Older
          </Link>
        )}
      </div>
    </nav>
  )
}
