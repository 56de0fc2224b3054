import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { paths } from '~/lib/paths'
import { asProblem } from '~/lib/problem'
import { useForbidden } from '~/lib/queries/auth'
import { endpointKeys, endpointsQuery, updateEndpoint } from '~/lib/queries/endpoints'
import type { Endpoint } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { type Column, DataTable } from '~/ui/data-table'
import { RowLink } from '~/ui/list-link'
import { Card, Page } from '~/ui/page'
import { Switch } from '~/ui/switch'
import { toast, toastFailure } from '~/ui/toast'

const columns: Column<Endpoint>[] = [
  {
    id: 'path',
    header: 'Path',
    cell: (endpoint) => (
      <span className="flex flex-wrap items-center gap-2">
        <RowLink link={paths.endpoint(endpoint.id)} className="font-mono text-sm">
          {endpoint.path}
        </RowLink>
        {endpoint.managed_by === 'file' && (
          <Badge title="Declared in the configuration file. Change it there.">File</Badge>
        )}
      </span>
    ),
  },
  {
    id: 'mapping',
    header: 'Routing',
    not: 'narrow',
    cell: (endpoint) => <span className="text-ink-2">{mappingWords(endpoint)}</span>,
  },
  { id: 'active', header: 'Active', cell: (endpoint) => <ActiveSwitch endpoint={endpoint} /> },
]

export function EndpointsPage() {
  const { data } = useSuspenseQuery(endpointsQuery)
  return (
    <Page title="Endpoints" lead="The paths that clients call, and how each one finds its provider.">
      <Card flush>
        <DataTable label="Endpoints" columns={columns} data={data.data} rowKey={(endpoint) => endpoint.id} />
      </Card>
    </Page>
  )
}

function mappingWords({ own_mapping, mapping }: Endpoint): string {
  if (!own_mapping) return 'Default: any active provider that has the model'
  const rules = mapping.rules.length === 1 ? '1 rule' : `${mapping.rules.length} rules`
  return `${mapping.strategy.replaceAll('_', ' ')}, ${rules}`
}

function ActiveSwitch({ endpoint }: { endpoint: Endpoint }) {
  const queries = useQueryClient()
  const forbidden = useForbidden('endpoints:write', 'switch endpoints')
  const reason =
    endpoint.managed_by === 'file' ? 'Declared in the configuration file. Change it there.' : forbidden
  const change = useMutation({
    mutationFn: (active: boolean) => updateEndpoint(endpoint.id, `"${endpoint.version}"`, { active }),
    onSuccess: (_, active) =>
      toast(active ? `${endpoint.path} answers again` : `${endpoint.path} is switched off`),
    onError: (error) =>
      toastFailure(asProblem(error).stale ? 'Changed by somebody else' : 'Not switched', error),
    onSettled: () => queries.invalidateQueries({ queryKey: endpointKeys }),
  })
  return (
    <Switch
      label={`${endpoint.path} is active`}
      checked={change.isPending ? Boolean(change.variables) : endpoint.active}
      disabledReason={reason}
      onChange={(active) => change.mutate(active)}
    />
  )
}
