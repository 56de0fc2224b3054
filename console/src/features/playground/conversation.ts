import { useQueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { type ChatFacts, type ChatMessage, streamChat } from '~/lib/chat'
import { asProblem, type Problem } from '~/lib/problem'
import { requestKeys } from '~/lib/queries/requests'
import { subscribe as onSession, sessionState } from '~/lib/session'

export interface Turn {
  id: number
  role: 'user' | 'assistant'
  /** The model that was asked. */
  model: string
  text: string
  reasoning: string
  facts: ChatFacts
  state: 'streaming' | 'done' | 'stopped' | 'failed'
  problem?: Problem
}

interface Conversation {
  /** The system message. */
  system: string
  turns: Turn[]
}

interface Send {
  key: string
  model: string
  text: string
}

/**
 * The conversation is in the memory of the tab: it outlives a look at another page, goes on
 * streaming meanwhile, and is gone with the session.
 */
const empty: Conversation = { system: '', turns: [] }
let current = empty
let abort: AbortController | undefined
let nextId = 0
const listeners = new Set<() => void>()

onSession(() => {
  if (sessionState() !== 'out') return
  clear()
  change({ system: '' })
})

/** A conversation with a model: its turns, and what can be done with it. */
export function useConversation() {
  const queries = useQueryClient()
  const { system, turns } = useSyncExternalStore(subscribe, () => current)
  return {
    system,
    turns,
    busy: turns.at(-1)?.state === 'streaming',
    /** What a model would be sent if text were said now; without any, up to what was said last. */
    messages: (text: string): ChatMessage[] => {
      if (!text && turns.length > 0) return toMessages(system, turns.slice(0, lastSaid(turns) + 1))
      return [...toMessages(system, turns), { role: 'user', content: text || 'Say hello.' }]
    },
    setSystem: (text: string) => change({ system: text }),
    send: async (what: Send) => {
      await send(what)
      await queries.invalidateQueries({ queryKey: requestKeys })
    },
    stop: () => abort?.abort(),
    clear,
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function change(part: Partial<Conversation>): void {
  current = { ...current, ...part }
  for (const listener of listeners) listener()
}

function changeTurn(id: number, part: (old: Turn) => Partial<Turn>): void {
  change({ turns: current.turns.map((one) => (one.id === id ? { ...one, ...part(one) } : one)) })
}

function clear(): void {
  abort?.abort()
  change({ turns: [] })
}

async function send({ key, model, text }: Send): Promise<void> {
  const controller = new AbortController()
  abort = controller
  const said = turn('user', model, text, 'done')
  const answer = turn('assistant', model, '', 'streaming')
  const messages = toMessages(current.system, [...current.turns, said])
  change({ turns: [...current.turns, said, answer] })
  const { write, flush } = pen(answer.id)
  try {
    await streamChat({
      key,
      model,
      messages,
      signal: controller.signal,
      onText: write,
      onFacts: (facts) => changeTurn(answer.id, (old) => ({ facts: { ...old.facts, ...known(facts) } })),
    })
    changeTurn(answer.id, () => ({ state: 'done' }))
  } catch (error) {
    if (controller.signal.aborted) changeTurn(answer.id, () => ({ state: 'stopped' }))
    else changeTurn(answer.id, () => ({ state: 'failed', problem: asProblem(error) }))
  } finally {
    flush()
    if (abort === controller) abort = undefined
  }
}

function turn(role: Turn['role'], model: string, text: string, state: Turn['state']): Turn {
  return { id: nextId++, role, model, text, reasoning: '', facts: {}, state }
}

function lastSaid(turns: Turn[]): number {
  return turns.findLastIndex((one) => one.role === 'user')
}

/** Writes on one turn; pieces of text are put together for a frame, so that a fast stream does not render thousands of times. */
function pen(id: number) {
  let text = ''
  let reasoning = ''
  let frame = 0
  const flush = () => {
    cancelAnimationFrame(frame)
    frame = 0
    if (!text && !reasoning) return
    const [newText, newReasoning] = [text, reasoning]
    text = ''
    reasoning = ''
    changeTurn(id, (old) => ({ text: old.text + newText, reasoning: old.reasoning + newReasoning }))
  }
  const write = (piece: string, isReasoning: boolean) => {
    if (isReasoning) reasoning += piece
    else text += piece
    frame ||= requestAnimationFrame(flush)
  }
  return { flush, write }
}

/** What the model is sent: the system's words, then each turn that has any. */
function toMessages(system: string, turns: Turn[]): ChatMessage[] {
  const said = turns.filter((one) => one.text !== '').map(({ role, text }) => ({ role, content: text }))
  return system.trim() ? [{ role: 'system', content: system }, ...said] : said
}

/** The facts that are known, so that a later undefined does not take away an earlier value. */
function known(facts: ChatFacts): ChatFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
