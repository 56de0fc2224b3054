import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { cx } from '~/lib/cx'
import { compact, count, duration, money, nothing, percent } from '~/lib/format'
import { useLiveRequests } from '~/lib/live'
import { needs } from '~/lib/may'
import { useMay } from '~/lib/queries/auth'
import { providersQuery } from '~/lib/queries/providers'
import { requestsQuery, type Span, spans, totalsQuery } from '~/lib/queries/requests'
import { noTotals } from '~/lib/stats'
import { Select } from '~/ui/field'
import { Failure } from '~/ui/notice'
import { Page, Skeleton } from '~/ui/page'
import { OpenAlerts, ProvidersHealth, RecentFailures } from './cards'
import { Onboarding } from './onboarding'
import { TopKeys, TopModels } from './top'
import { Traffic } from './traffic'

const route = getRouteApi('/shell/')

export function OverviewPage() {
  const { span = 'day' } = route.useSearch()
  const [mayProviders, mayRequests] = [useMay(...needs.providers), useMay(...needs.requests)]
  useLiveRequests(mayRequests)
  const providers = useQuery({ ...providersQuery, enabled: mayProviders })
  const newest = useQuery({ ...requestsQuery({ limit: 1 }), enabled: mayRequests })
  const failed = providers.error ?? newest.error
  if (failed) {
    return (
      <Page title="Overview">
        <Failure error={failed} retry={() => void Promise.all([providers.refetch(), newest.refetch()])} />
      </Page>
    )
  }
  if ((mayProviders && !providers.data) || (mayRequests && !newest.data)) {
    return (
      <Page title="Overview">
        <Skeleton className="h-20" />
        <Skeleton className="mt-5 h-72" />
      </Page>
    )
  }
  const health = providers.data && (
    <ProvidersHealth providers={providers.data.data} total={providers.data.total} />
  )
  if (!mayRequests) {
    return (
      <Page title="Overview" lead="Figures of requests are for those who may see requests.">
        <OpenAlerts />
        {health}
      </Page>
    )
  }
  if (newest.data?.data.length === 0) {
    return (
      <Page title="Overview" lead="Three steps, and every AI service stands behind one address.">
        <Onboarding providers={providers.data?.data} />
      </Page>
    )
  }
  return (
    <Page title="Overview" actions={<SpanSelect span={span} />}>
      <OpenAlerts />
      <Figures span={span} />
      <Traffic span={span} />
      <div className="mt-5 grid items-start gap-5 lg:grid-cols-2">
        <RecentFailures />
        <div className="min-w-0 space-y-5">
          {health}
          <TopModels span={span} />
          <TopKeys span={span} />
        </div>
      </div>
    </Page>
  )
}

function SpanSelect({ span }: { span: Span }) {
  const navigate = route.useNavigate()
  return (
    <Select
      aria-label="Time span"
      className="w-40!"
      value={span}
      onChange={(event) => void navigate({ search: { span: event.target.value as Span }, replace: true })}
    >
      {Object.entries(spans).map(([value, { label }]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </Select>
  )
}

function Figures({ span }: { span: Span }) {
  const totals = useQuery(totalsQuery(span))
  if (totals.isError) return <Failure error={totals.error} retry={() => void totals.refetch()} />
  // Until they are there the figures are unknown, not zero.
  const total = totals.data ? (totals.data[0] ?? noTotals) : undefined
  const rate = total && total.requests > 0 ? total.errors / total.requests : null
  const unpriced = total?.unpriced ? `${count(total.unpriced)} without a price` : spans[span].label
  const figures: [label: string, value: string, note: string, alarming?: boolean][] = [
    ['Requests', compact(total?.requests), `${count(total?.errors)} failed`],
    ['Error rate', percent(rate), 'Of all requests', rate !== null && rate > 0.05],
    ['Latency p50', duration(total?.p50), 'Half are faster'],
    ['Latency p95', duration(total?.p95), '1 in 20 is slower'],
    [
      'Tokens',
      compact(total && total.tokensInput + total.tokensOutput),
      `${compact(total?.tokensInput)} in, ${compact(total?.tokensOutput)} out`,
    ],
    ['Cost', total ? money(total.cost) : nothing, unpriced],
  ]
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-3 xl:grid-cols-6">
      {figures.map(([label, value, note, alarming]) => (
        <div key={label} className="bg-surface px-4 py-4 sm:px-5">
          <dt className="eyebrow">{label}</dt>
          <dd
            className={cx(
              'num mt-1 text-2xl font-[560] tracking-tight whitespace-nowrap',
              // A long number is set smaller, so that it stays on its line.
              value.length > 7 && 'max-sm:text-lg sm:text-xl/8',
              value.length > 11 && 'xl:text-lg/8',
              alarming && 'text-bad',
            )}
          >
            {value}
          </dd>
          <dd className="num mt-0.5 text-xs text-ink-3">{note}</dd>
        </div>
      ))}
    </dl>
  )
}
