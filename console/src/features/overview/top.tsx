import { useQuery } from '@tanstack/react-query'
import { Link, type LinkProps } from '@tanstack/react-router'
import { compact, money } from '~/lib/format'
import { paths } from '~/lib/paths'
import { type Span, totalsQuery } from '~/lib/queries/requests'
import type { Totals } from '~/lib/stats'
import { Card } from '~/ui/page'

/** What was asked for the most. */
export function TopModels({ span }: { span: Span }) {
  const { data } = useQuery(totalsQuery(span, 'model'))
  return (
    <Top
      title="Models"
      none="No model"
      totals={data}
      link={(name) => paths.requests({ model: name || undefined })}
    />
  )
}

/** Who asked the most. */
export function TopKeys({ span }: { span: Span }) {
  const { data } = useQuery(totalsQuery(span, 'key'))
  return (
    <Top
      title="Keys"
      none="No key"
      totals={data}
      link={(id) => (id ? paths.requests({ key: id }) : undefined)}
    />
  )
}

function Top({
  title,
  none,
  totals = [],
  link,
}: {
  title: string
  /** What stands for an empty name. */
  none: string
  totals: Totals[] | undefined
  link: (name: string) => LinkProps | undefined
}) {
  const top = totals.filter((one) => one.requests > 0).slice(0, 6)
  const most = Math.max(1, ...top.map((one) => one.requests))
  if (top.length === 0) return null
  return (
    <Card title={title}>
      <ul className="space-y-3">
        {top.map((one) => {
          const target = link(one.name)
          return (
            <li key={one.name}>
              <div className="flex items-baseline justify-between gap-4">
                {target ? (
                  <Link {...target} className="min-w-0 truncate font-[550] hover:text-accent">
                    {one.label || none}
                  </Link>
                ) : (
                  <span className="min-w-0 truncate font-[550]">{one.label || none}</span>
                )}
                <span className="num shrink-0 text-sm text-ink-3">
                  {compact(one.requests)} · {costOf(one)}
                </span>
              </div>
              <svg
                aria-hidden
                viewBox="0 0 100 4"
                preserveAspectRatio="none"
                className="mt-1 h-1 w-full rounded-full bg-sunken"
              >
                <rect width={(one.requests / most) * 100} height="4" className="fill-(--series-1)" />
              </svg>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

/** The cost of requests; a sum that misses some of them says so. */
function costOf({ cost, unpriced }: Totals): string {
  if (unpriced === 0) return money(cost)
  return cost === 0 ? 'cost unknown' : `more than ${money(cost)}`
}
