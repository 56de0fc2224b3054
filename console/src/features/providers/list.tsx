import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useMemo } from 'react'
import { count } from '~/lib/format'
import { paths } from '~/lib/paths'
import { useForbidden } from '~/lib/queries/auth'
import { providersQuery } from '~/lib/queries/providers'
import type { Provider } from '~/lib/schema'
import type { ListSearch } from '~/lib/search'
import { Badge } from '~/ui/badge'
import { Button, buttonClass } from '~/ui/button'
import { type Column, DataTable, onlyNarrow } from '~/ui/data-table'
import { RowLink } from '~/ui/list-link'
import { Card, Empty, Page } from '~/ui/page'
import { Health, Origin } from '~/ui/provider-words'
import { SearchField } from '~/ui/search-field'

const columns: Column<Provider>[] = [
  {
    id: 'name',
    header: 'Name',
    sort: (provider) => provider.name.toLowerCase(),
    cell: (provider) => (
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <RowLink link={paths.provider(provider.id)}>{provider.name}</RowLink>
        <Origin provider={provider} />
        <span className={`w-full text-sm font-normal text-ink-3 ${onlyNarrow}`}>{provider.provider}</span>
        {provider.private && (
          <span className="@max-md:hidden">
            <Badge title="Its base URL is on a loopback or private network.">Private</Badge>
          </span>
        )}
      </span>
    ),
  },
  {
    id: 'kind',
    header: 'Kind',
    not: 'narrow',
    sort: (provider) => provider.provider,
    cell: (provider) => provider.provider,
  },
  {
    id: 'health',
    header: 'Health',
    sort: (provider) => (provider.status === 'inactive' ? 'z' : provider.health.state),
    cell: (provider) => <Health provider={provider} />,
  },
  {
    id: 'models',
    header: 'Models',
    not: 'middle',
    cell: (provider) => <span className="text-ink-2">{modelsWord(provider)}</span>,
  },
  {
    id: 'priority',
    header: 'Priority',
    numeric: true,
    not: 'wide',
    sort: (provider) => provider.config.priority ?? 0,
    cell: (provider) => provider.config.priority ?? 0,
  },
  {
    id: 'weight',
    header: 'Weight',
    numeric: true,
    not: 'wide',
    sort: (provider) => provider.config.weight ?? 1,
    cell: (provider) => provider.config.weight ?? 1,
  },
]

const route = getRouteApi('/shell/providers')

/** Fewer than these are seen at a glance, and need no search. */
const few = 10

export function ProvidersPage() {
  const { q, sort } = route.useSearch()
  const change = useSearchChange()
  const all = useSuspenseQuery(providersQuery).data.data
  const found = q ? all.filter((provider) => matches(provider, q.toLowerCase())) : all
  return (
    <Page title="Providers" lead="The AI services that Point can send requests to." actions={<Add />}>
      {(all.length > few || q) && (
        <search className="mb-5 flex flex-wrap items-end justify-between gap-x-5 gap-y-2">
          <SearchField
            label="Search"
            className="w-full sm:max-w-xs"
            placeholder="Name, kind or model"
            value={q}
            onChange={change.q}
          />
          <p aria-live="polite" className="num text-sm text-ink-3">
            {q ? `${count(found.length)} of ${count(all.length)}` : count(all.length)} providers
          </p>
        </search>
      )}
      <Card flush>
        {all.length === 0 ? (
          <Empty title="No providers yet" action={<Add />}>
            Add an AI service with its key. Until then every request is refused, since there is nobody to send
            it to.
          </Empty>
        ) : found.length === 0 ? (
          <Empty
            title="No provider matches"
            action={<Button onClick={() => change.q(undefined)}>Clear the search</Button>}
          >
            Names, kinds and listed models are searched.
          </Empty>
        ) : (
          <DataTable
            label="Providers"
            columns={columns}
            data={found}
            rowKey={(provider) => provider.id}
            sort={sort}
            onSort={change.sort}
          />
        )}
      </Card>
    </Page>
  )
}

/** Changes of the search part of the page's URL; they leave no trail of steps back. */
function useSearchChange() {
  const navigate = route.useNavigate()
  return useMemo(() => {
    const set = (part: ListSearch) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true })
    return {
      q: (q: string | undefined) => set({ q }),
      sort: (sort: string | undefined) => set({ sort }),
    }
  }, [navigate])
}

function Add() {
  const forbidden = useForbidden('providers:write', 'add providers')
  const label = (
    <>
      <Plus /> Add provider
    </>
  )
  if (forbidden) {
    return (
      <Button look="primary" disabledReason={forbidden}>
        {label}
      </Button>
    )
  }
  return (
    <Link {...paths.newProvider()} className={buttonClass('primary')}>
      {label}
    </Link>
  )
}

function matches({ name, provider: kind, config }: Provider, text: string): boolean {
  return [name, kind, ...(config.models ?? [])].some((word) => String(word).toLowerCase().includes(text))
}

function modelsWord(provider: Provider): string {
  const models = provider.config.models ?? []
  if (models.length === 0) return 'Any'
  const [first, ...rest] = models
  return rest.length === 0 ? String(first) : `${first} and ${rest.length} more`
}
