import { useQuery } from '@tanstack/react-query'
import { ago, count, fullTime } from '~/lib/format'
import { alertsQuery } from '~/lib/queries/status'
import type { Alert } from '~/lib/schema'
import { detailWords, gravestFirst, severityTone } from '~/ui/alert-words'
import { Badge } from '~/ui/badge'
import { Failure } from '~/ui/notice'
import { Card, Empty, Page, Skeleton } from '~/ui/page'

export function AlertsPage() {
  return (
    <Page title="Alerts" lead="What Point noticed and somebody should see.">
      <div className="space-y-5">
        <AlertList
          status="open"
          title="Open"
          empty="Nothing is wrong"
          why="Point raises an alert when a key is refused, a model has no price, a disk fills, and the like."
        />
        <AlertList
          status="resolved"
          title="Resolved"
          empty="None yet"
          why="An alert moves here when its cause is gone."
        />
      </div>
    </Page>
  )
}

function AlertList({
  status,
  title,
  empty,
  why,
}: {
  status: 'open' | 'resolved'
  title: string
  empty: string
  why: string
}) {
  const alerts = useQuery(alertsQuery(status))
  return (
    <Card flush title={title}>
      {alerts.isPending ? (
        <Skeleton className="m-5 h-24" />
      ) : alerts.isError ? (
        <div className="p-5">
          <Failure error={alerts.error} retry={() => void alerts.refetch()} />
        </div>
      ) : alerts.data.data.length === 0 ? (
        <Empty title={empty}>{why}</Empty>
      ) : (
        <>
          {alerts.data.total !== alerts.data.data.length && (
            <p className="num border-b border-line px-4 py-2 text-sm text-ink-3 sm:px-5">
              Showing {count(alerts.data.data.length)} of{' '}
              {alerts.data.total === null ? 'more than 10,000' : count(alerts.data.total)}
            </p>
          )}
          <ul>
            {gravestFirst(alerts.data.data).map((alert) => (
              <li key={alert.id} className="border-b border-line px-4 py-3 last:border-b-0 sm:px-5">
                <AlertRow alert={alert} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

function AlertRow({ alert }: { alert: Alert }) {
  const detail = detailWords(alert.detail)
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-5 gap-y-1">
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex flex-wrap items-baseline gap-x-2.5">
          <Badge tone={severityTone(alert)}>{alert.severity}</Badge>
          <span className="font-[580]">{alert.message}</span>
        </p>
        <p className="mt-0.5 text-sm text-ink-2">
          {alert.subject}
          {detail && <span className="text-ink-3"> · {detail}</span>}
        </p>
      </div>
      <p
        className="num text-sm text-ink-3"
        title={`First: ${fullTime(alert.first_at)}. Last: ${fullTime(alert.last_at)}.`}
      >
        {alert.count > 1 ? `${count(alert.count)} times, last ${ago(alert.last_at)}` : ago(alert.last_at)}
      </p>
    </div>
  )
}
