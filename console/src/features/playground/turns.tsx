import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ChatFacts } from '~/lib/chat'
import { count, duration, money } from '~/lib/format'
import { needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { Failure, Notice } from '~/ui/notice'
import type { Turn } from './conversation'

/** The conversation, every word of it as plain text: nothing a model writes is ever markup here. */
export function Turns({ turns }: { turns: Turn[] }) {
  return (
    <ol className="space-y-6">
      {turns.map((turn) => (
        <li key={turn.id}>
          <p className="eyebrow mb-1.5">{turn.role === 'user' ? 'You' : (turn.facts.model ?? turn.model)}</p>
          {turn.role === 'user' ? (
            <p className="w-fit max-w-full rounded-lg bg-sunken px-4 py-2.5 whitespace-pre-wrap">
              {turn.text}
            </p>
          ) : (
            <Answer turn={turn} />
          )}
        </li>
      ))}
    </ol>
  )
}

function Answer({ turn }: { turn: Turn }) {
  const streaming = turn.state === 'streaming'
  return (
    <div className="space-y-3">
      {turn.reasoning && (
        <details className="rounded-md border border-line px-3.5 py-2 text-ink-2">
          <summary className="text-sm">Reasoning</summary>
          <p className="mt-2 whitespace-pre-wrap">{turn.reasoning}</p>
        </details>
      )}
      <p className="max-w-prose whitespace-pre-wrap" data-testid="answer">
        {turn.text}
        {streaming && (
          <span
            aria-hidden
            className="ml-0.5 inline-block h-4 w-2 animate-[breathe_1s_infinite] rounded-[1px] bg-mark align-text-bottom"
          />
        )}
      </p>
      {turn.state === 'stopped' && <Notice tone="plain">You stopped it here.</Notice>}
      {turn.problem && <Failure error={turn.problem} />}
      <Facts facts={turn.facts} recorded={!streaming && turn.problem?.status !== 401} />
    </div>
  )
}

/** What is told of an answer; of one that was recorded, its request too. Without a valid key none is. */
function Facts({ facts, recorded }: { facts: ChatFacts; recorded: boolean }) {
  const mayRequests = useMay(...needs.requests)
  const request = recorded && mayRequests ? facts.requestId : undefined
  const items: [string, ReactNode][] = []
  if (facts.provider) items.push(['Provider', facts.provider])
  if (facts.attempts) items.push(['Attempts', count(facts.attempts)])
  if (facts.ttft !== undefined) items.push(['First content', duration(facts.ttft)])
  if (facts.total !== undefined) items.push(['Total', duration(facts.total)])
  if (facts.tokensInput !== undefined)
    items.push(['Tokens', `${count(facts.tokensInput)} in, ${count(facts.tokensOutput)} out`])
  if (facts.cost !== undefined) items.push(['Cost', facts.cost === null ? 'Unknown' : money(facts.cost)])
  if (facts.finish && facts.finish !== 'stop') items.push(['Ended by', facts.finish])
  if (items.length === 0 && !request) return null
  return (
    <div className="flex flex-wrap items-baseline gap-x-5 gap-y-1 border-t border-line pt-2.5 text-sm">
      <dl className="contents">
        {items.map(([label, value]) => (
          <div key={label} className="flex gap-1.5">
            <dt className="text-ink-3">{label}</dt>
            <dd className="num font-[550]">{value}</dd>
          </div>
        ))}
      </dl>
      {request && (
        <Link {...paths.request(request)} className="link">
          Show the request
        </Link>
      )}
    </div>
  )
}
