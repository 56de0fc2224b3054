import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { ago, fullTime } from '~/lib/format'
import { needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { asProblem } from '~/lib/problem'
import { meQuery, useForbidden, useMay } from '~/lib/queries/auth'
import { deleteKey, keyKeys, keysQuery, updateKey } from '~/lib/queries/keys'
import type { Key } from '~/lib/schema'
import { Badge, State } from '~/ui/badge'
import { Button } from '~/ui/button'
import { type Column, DataTable, onlyNarrow } from '~/ui/data-table'
import { Confirm } from '~/ui/dialog'
import { ListSearch, narrow, useListSearch } from '~/ui/list-search'
import { Card, Empty, Page } from '~/ui/page'
import { toast, toastFailure } from '~/ui/toast'
import { limitWords } from './limits'

const CreateKeyDialog = lazy(() => import('./create').then((module) => ({ default: module.CreateKeyDialog })))

const columns: Column<Key>[] = [
  {
    id: 'name',
    header: 'Name',
    sort: (key) => key.name.toLowerCase(),
    cell: (key) => (
      <span className="block min-w-28">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-[550]">{key.name}</span>
          {key.managed_by === 'file' && (
            <Badge title="Declared in the configuration file. Change it there.">File</Badge>
          )}
          {key.managed_by === 'env' && <Badge title="Made from an environment variable.">Environment</Badge>}
          {key.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </span>
        <code className="font-mono text-xs text-ink-3">{key.prefix}…</code>
        <span className={`block text-sm ${onlyNarrow}`}>
          <KeyState keyOf={key} />
        </span>
      </span>
    ),
  },
  { id: 'status', header: 'Status', not: 'narrow', cell: (key) => <KeyState keyOf={key} /> },
  {
    id: 'limits',
    header: 'Limits',
    not: 'middle',
    cell: (key) => <Limits keyOf={key} />,
  },
  {
    id: 'owner',
    header: 'Owner',
    not: 'wide',
    cell: (key) => <span className="text-ink-2">{key.owner || '–'}</span>,
  },
  {
    id: 'created',
    header: 'Created',
    not: 'narrow',
    sort: (key) => key.created_at,
    cell: (key) => (
      <span className="whitespace-nowrap text-ink-2" title={fullTime(key.created_at)}>
        {ago(key.created_at)}
      </span>
    ),
  },
  { id: 'actions', header: 'Actions', quiet: true, cell: (key) => <KeyActions keyOf={key} /> },
]

export function KeysPage() {
  const { data: all, total } = useSuspenseQuery(keysQuery).data
  const { q, sort, setQuery, setSort } = useListSearch()
  const [creating, setCreating] = useState<boolean>()
  const forbidden = useForbidden('keys:own', 'create keys')
  const found = narrow(all, q, (key) => [key.name, key.prefix, key.owner, ...key.tags])
  const create = (
    <Button look="primary" disabledReason={forbidden} onClick={() => setCreating(true)}>
      <Plus /> Create key
    </Button>
  )
  return (
    <Page title="Keys" lead="What apps show to Point. Each can be revoked on its own." actions={create}>
      <ListSearch
        q={q}
        placeholder="Name, tag, owner or first letters"
        found={found.length}
        all={all.length}
        total={total}
        noun="keys"
        onChange={setQuery}
      />
      <Card flush>
        {all.length === 0 ? (
          <Empty title="No client keys yet" action={create}>
            Without one, /v1 refuses every request. Give each app its own, so that its use and cost can be
            told apart.
          </Empty>
        ) : found.length === 0 ? (
          <Empty
            title="No key matches"
            action={<Button onClick={() => setQuery(undefined)}>Clear the search</Button>}
          >
            Names, tags, owners and the first letters of keys are searched.
          </Empty>
        ) : (
          <DataTable
            label="Client keys"
            columns={columns}
            data={found}
            rowKey={(key) => key.id}
            sort={sort}
            onSort={setSort}
          />
        )}
      </Card>
      {creating !== undefined && (
        <Suspense>
          <CreateKeyDialog open={creating} onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </Page>
  )
}

function Limits({ keyOf: key }: { keyOf: Key }) {
  return (
    <span className="num block text-ink-2">
      {[...limitWords(key), ...modelWords(key)].join(', ') || 'None'}
    </span>
  )
}

function KeyState({ keyOf: key }: { keyOf: Key }) {
  if (key.status === 'inactive') return <State tone="plain">Revoked</State>
  if (!key.expires_at) return <State tone="ok">Active</State>
  const expired = new Date(key.expires_at).getTime() <= Date.now()
  return (
    <State tone={expired ? 'plain' : 'ok'} title={fullTime(key.expires_at)}>
      {expired ? 'Expired' : `Ends ${ago(key.expires_at)}`}
    </State>
  )
}

function KeyActions({ keyOf: key }: { keyOf: Key }) {
  const queries = useQueryClient()
  const { data: me } = useQuery(meQuery)
  const forbidden = useForbidden(key.owner_id === me?.id ? 'keys:own' : 'keys:write', 'change keys')
  const mayRequests = useMay(...needs.requests)
  const locked =
    key.managed_by === 'file' ? 'It is declared in the configuration file. Change it there.' : undefined
  const reason = locked ?? forbidden
  const active = key.status === 'active'

  async function act(change: () => Promise<unknown>, said: string) {
    try {
      await change()
      toast(said)
    } catch (error) {
      toastFailure(asProblem(error).stale ? 'Changed by somebody else' : 'Not changed', error)
      throw error
    } finally {
      await queries.invalidateQueries({ queryKey: keyKeys })
    }
  }

  return (
    <span className="flex flex-col items-end gap-1 @md:flex-row @md:justify-end">
      {mayRequests && (
        <Link
          {...paths.requests({ key: key.id })}
          className="inline-flex h-8 items-center rounded-md px-2.5 text-sm font-[550] text-ink-2 hover:bg-hover hover:text-ink"
        >
          Requests
        </Link>
      )}
      {reason ? (
        <Button size="sm" look="quiet" disabledReason={reason}>
          {active ? 'Revoke' : 'Delete'}
        </Button>
      ) : active ? (
        <Confirm
          trigger={
            <Button size="sm" look="quiet">
              Revoke
            </Button>
          }
          title={`Revoke ${key.name}?`}
          action="Revoke key"
          onConfirm={() =>
            act(() => updateKey(key.id, key.version, { status: 'inactive' }), `${key.name} was revoked`)
          }
        >
          Requests with it are refused at once. You can activate it again later.
        </Confirm>
      ) : (
        <>
          <Button
            size="sm"
            look="quiet"
            onClick={() =>
              void act(
                () => updateKey(key.id, key.version, { status: 'active' }),
                `${key.name} works again`,
              ).catch(() => undefined)
            }
          >
            Activate
          </Button>
          <Confirm
            trigger={
              <Button size="sm" look="quiet">
                Delete
              </Button>
            }
            title={`Delete ${key.name}?`}
            action="Delete key"
            onConfirm={() => act(() => deleteKey(key.id, key.version), `${key.name} was deleted`)}
          >
            It is gone for good. Its requests stay in the history.
          </Confirm>
        </>
      )}
    </span>
  )
}

function modelWords(key: Key): string[] {
  if (key.models.length === 0) return []
  return [key.models.length === 1 ? `only ${key.models[0]}` : `${key.models.length} model patterns`]
}
