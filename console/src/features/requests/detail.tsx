import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { count, duration, fullTime, nothing } from '~/lib/format'
import { needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { requestQuery } from '~/lib/queries/requests'
import type { RequestRecord } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { CodeBlock, CopyButton } from '~/ui/copy'
import { BackLink } from '~/ui/list-link'
import { Notice } from '~/ui/notice'
import { Card, Facts, Page } from '~/ui/page'
import { costWords, outcomeWords, RequestState } from '~/ui/request-words'
import { Timeline } from './timeline'

const route = getRouteApi('/shell/requests/$id')

export function RequestPage() {
  const { id } = route.useParams()
  const { data: request } = useSuspenseQuery(requestQuery(id))
  return (
    <Page
      title={request.model || request.endpoint}
      above={<BackLink link={paths.requests()}>Requests</BackLink>}
      aside={<RequestState request={request} words />}
      lead={fullTime(request.timestamp)}
    >
      {request.error_code && (
        <div className="mb-5">
          <Notice tone="bad" title={request.error_code}>
            {request.error_message}
          </Notice>
        </div>
      )}
      <Figures request={request} />
      <div className="mt-5 grid items-start gap-5 lg:grid-cols-[1fr_22rem]">
        <div className="min-w-0 space-y-5">
          <Card title="Attempts">
            <Timeline request={request} />
          </Card>
          <RouteCard request={request} />
          <Card title="What is kept of it">
            <div className="space-y-4">
              <Kept title="Request" value={request.request} />
              {request.response !== undefined && <Kept title="Response" value={request.response} />}
            </div>
          </Card>
        </div>
        <About request={request} />
      </div>
    </Page>
  )
}

function Figures({ request }: { request: RequestRecord }) {
  const figures: [string, string, string?][] = [
    ['Time taken', duration(request.response_time)],
    ['First content', duration(request.ttft)],
    ['Tokens in', count(request.tokens_input)],
    ['Tokens out', count(request.tokens_output)],
    ['Cost', costWords(request)],
    [
      'In Point',
      request.overhead_us ? `${(request.overhead_us / 1000).toFixed(2)} ms` : nothing,
      'Before the provider was asked',
    ],
  ]
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-3 lg:grid-cols-6">
      {figures.map(([label, value, title]) => (
        <div key={label} title={title} className="bg-surface px-4 py-3">
          <dt className="eyebrow">{label}</dt>
          <dd className="num mt-0.5 text-lg font-[580]">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function RouteCard({ request }: { request: RequestRecord }) {
  const { rule, strategy, reason, skipped } = request.route
  return (
    <Card title="Route">
      <Facts
        items={[
          ['Why', sentence(reason) || nothing],
          ['Rule', rule || 'None matched; the defaults apply'],
          ['Strategy', strategy || nothing],
        ]}
      />
      {skipped && skipped.length > 0 && (
        <>
          <h3 className="mt-5 mb-2 text-sm font-[620]">Left out</h3>
          <ul className="space-y-1.5">
            {skipped.map((skip) => (
              <li key={`${skip.provider}/${skip.model}`}>
                <span className="font-[550]">
                  {skip.provider}
                  {skip.model && ` / ${skip.model}`}
                </span>{' '}
                <span className="text-ink-2">{sentence(skip.reason)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

function Kept({ title, value }: { title: string; value: unknown }) {
  return (
    <div>
      <h3 className="mb-2 text-sm font-[620]">{title}</h3>
      <CodeBlock label={`${title} metadata`} code={JSON.stringify(value, null, 2)} />
    </div>
  )
}

function About({ request }: { request: RequestRecord }) {
  const { usage } = request
  const mayProviders = useMay(...needs.providers)
  return (
    <Card title="About">
      <Facts
        items={[
          [
            'Id',
            <span key="id" className="flex items-start gap-1">
              <code className="font-mono text-sm break-all">{request.id}</code>
              <span className="-my-1.5">
                <CopyButton text={request.id} label="Copy the id" />
              </span>
            </span>,
          ],
          ...(request.client_request_id
            ? [['Client id', request.client_request_id] as [string, string]]
            : []),
          ['Endpoint', request.endpoint],
          ['Outcome', outcomeWords[request.outcome]],
          [
            'Provider',
            request.provider_id && mayProviders ? (
              <Link key="provider" {...paths.provider(request.provider_id)} className="link">
                {request.provider}
              </Link>
            ) : (
              request.provider || 'None was reached'
            ),
          ],
          ['Sent as', request.upstream_model || nothing],
          ['Key', request.key || nothing],
          ['Mode', request.stream ? 'Streamed' : 'Whole'],
          ...(request.cache_hit ? [['Cache', 'Answered from the cache'] as [string, string]] : []),
          ...(usage?.cache_read ? [['Cached input', count(usage.cache_read)] as [string, string]] : []),
          ...(usage?.reasoning ? [['Reasoning', count(usage.reasoning)] as [string, string]] : []),
          ...(usage?.estimated
            ? [
                [
                  'Counted by',
                  <Badge key="estimated" tone="warn" title="The provider told no usage.">
                    Point, estimated
                  </Badge>,
                ] as [string, React.ReactNode],
              ]
            : []),
        ]}
      />
    </Card>
  )
}

/** A reason with a capital at its start. */
function sentence(reason: string | undefined): string {
  return reason ? reason.charAt(0).toUpperCase() + reason.slice(1) : ''
}
