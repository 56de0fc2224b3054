import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { keysQuery } from '~/lib/queries/keys'
import { modelsQuery } from '~/lib/queries/status'
import type { Provider } from '~/lib/schema'
import { curlExample, pythonExample } from '~/lib/snippets'
import { buttonClass } from '~/ui/button'
import { CodeBlock } from '~/ui/copy'
import { Card } from '~/ui/page'

/** What stands on the overview until the first request: how to make it. Providers are unknown to who may not see them. */
export function Onboarding({ providers }: { providers: Provider[] | undefined }) {
  const { data: models } = useQuery({ ...modelsQuery, enabled: useMay('models:read') })
  const mayKeys = useMay(...needs.keys)
  const keys = useQuery({ ...keysQuery, enabled: mayKeys }).data?.data.length ?? 0
  const active = (providers ?? []).filter((provider) => provider.status === 'active')
  const model = models?.data.find((one) => one.kind === 'chat')?.id ?? 'gpt-4o-mini'
  const base = `${location.origin}/v1`
  return (
    <Card className="max-w-3xl">
      <ol className="space-y-8">
        <Step
          number={1}
          title="Have a provider"
          done={active.length > 0 || (!providers && Boolean(models?.data.length))}
        >
          {!providers ? (
            <p>Owners and admins look after the AI services.</p>
          ) : active.length > 0 ? (
            <p>
              {active.length === 1
                ? `${active[0]?.name} is ready.`
                : `${active.length} are ready, ${active[0]?.name} among them.`}{' '}
              <Link {...paths.providers()} className="link">
                Look at them
              </Link>
            </p>
          ) : (
            <>
              <p className="mb-3">
                An AI service with its key: OpenAI, Anthropic, Gemini, or anything that speaks OpenAI's
                dialect.
              </p>
              <Link {...paths.newProvider()} className={buttonClass('primary')}>
                Add a provider
              </Link>
            </>
          )}
        </Step>
        <Step number={2} title="Have a client key" done={keys > 0}>
          <p className={keys > 0 ? '' : 'mb-3'}>
            Your apps show it to Point. The providers' keys never leave Point.{' '}
            {keys > 0 && (
              <Link {...paths.keys()} className="link">
                {keys === 1 ? 'There is one' : `There are ${keys}`}
              </Link>
            )}
          </p>
          {keys === 0 && mayKeys && (
            <Link {...paths.keys()} className={buttonClass()}>
              Create a key
            </Link>
          )}
        </Step>
        <Step number={3} title="Send a request">
          <p className="mb-3">
            Point any OpenAI client at <code className="font-mono text-ink">{base}</code>, or paste this:
          </p>
          <div className="space-y-3">
            <CodeBlock label="Request with curl" code={curlExample({ base, model })} />
            <CodeBlock label="Request with Python" code={pythonExample({ base, model })} />
          </div>
          <p className="mt-3">
            Or without leaving this page:{' '}
            <Link {...paths.playground()} className="link">
              open the playground
            </Link>
            .
          </p>
        </Step>
      </ol>
    </Card>
  )
}

function Step({
  number,
  title,
  done,
  children,
}: {
  number: number
  title: string
  done?: boolean
  children: ReactNode
}) {
  return (
    <li className="grid grid-cols-[1.75rem_minmax(0,1fr)] gap-x-4">
      <span
        aria-hidden
        className={`num grid size-7 place-items-center rounded-full text-sm font-[620] ${done ? 'bg-ok-soft text-ok' : 'border border-line-strong text-ink-2'}`}
      >
        {done ? <Check className="size-4" /> : number}
      </span>
      <div className="text-ink-2">
        <h2 className="mb-1 pt-0.5 font-[620] text-ink">
          {title}
          {done && <span className="sr-only"> (done)</span>}
        </h2>
        {children}
      </div>
    </li>
  )
}
