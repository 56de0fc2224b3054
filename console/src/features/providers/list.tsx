import { useSuspenseQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { paths } from '~/lib/paths'
import { useForbidden } from '~/lib/queries/auth'
import { providersQuery } from '~/lib/queries/providers'
import type { Provider } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { Button, buttonClass } from '~/ui/button'
import { type Column, DataTable, onlyNarrow } from '~/ui/data-table'
import { RowLink } from '~/ui/list-link'
import { ListSearch, narrow, useListSearch } from '~/ui/list-search'
import { Card, Empty, Page } from '~/ui/page'
import { Health, Origin } from '~/ui/provider-words'

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
            <Badge title="Its base URL may lead to a loopback or private network.">Private</Badge>
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

export function ProvidersPage() {
  const { q, sort, setQuery, setSort } = useListSearch()
  const { data: all, total } = useSuspenseQuery(providersQuery).data
  const found = narrow(all, q, ({ name, provider, config }) => [name, provider, ...(config.models ?? [])])
  return (
    <Page title="Providers" lead="The AI services that Point can send requests to." actions={<Add />}>
      <ListSearch
        q={q}
        placeholder="Name, kind or model"
        found={found.length}
        all={all.length}
        total={total}
        noun="providers"
        onChange={setQuery}
      />
      <Card flush>
        {all.length === 0 ? (
          <Empty title="No providers yet" action={<Add />}>
            Add an AI service with its key. Until then every request is refused, since there is nobody to send
            it to.
          </Empty>
        ) : found.length === 0 ? (
          <Empty
            title="No provider matches"
            action={<Button onClick={() => setQuery(undefined)}>Clear the search</Button>}
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
            onSort={setSort}
          />
        )}
      </Card>
    </Page>
  )
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

function modelsWord(provider: Provider): string {
  const models = provider.config.models ?? []
  if (models.length === 0) return 'Any'
  const [first, ...rest] = models
  return rest.length === 0 ? String(first) : `${first} and ${rest.length} more`
}
