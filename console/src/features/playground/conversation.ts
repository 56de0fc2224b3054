import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { type ChatFacts, type ChatMessage, streamChat } from '~/lib/chat'
import { asProblem, type Problem } from '~/lib/problem'
import { requestKeys } from '~/lib/queries/requests'

export interface Turn {
  id: number
  role: 'user' | 'assistant'
  text: string
  reasoning: string
  facts: ChatFacts
  state: 'streaming' | 'done' | 'stopped' | 'failed'
  problem?: Problem
}

export interface Send {
  key: string
  model: string
  system: string
  text: string
}

/** A conversation with a model: its turns, and what can be done with it. */
export function useConversation() {
  const [turns, setTurns] = useState<Turn[]>([])
  const abort = useRef<AbortController>(null)
  const nextId = useRef(0)
  const queries = useQueryClient()
  useEffect(() => () => abort.current?.abort(), [])

  async function send({ key, model, system, text }: Send) {
    const controller = new AbortController()
    abort.current = controller
    const id = nextId.current
    nextId.current += 2
    const said = turn(id, 'user', text, 'done')
    setTurns((all) => [...all, said, turn(id + 1, 'assistant', '', 'streaming')])
    const answer = pen(id + 1, setTurns)
    try {
      await streamChat({
        key,
        model,
        messages: toMessages(system, [...turns, said]),
        signal: controller.signal,
        onText: answer.write,
        onFacts: (facts) => answer.change((old) => ({ facts: { ...old.facts, ...known(facts) } })),
      })
      answer.change(() => ({ state: 'done' }))
    } catch (error) {
      if (controller.signal.aborted) answer.change(() => ({ state: 'stopped' }))
      else answer.change(() => ({ state: 'failed', problem: asProblem(error) }))
    } finally {
      answer.flush()
      abort.current = null
      void queries.invalidateQueries({ queryKey: requestKeys })
    }
  }

  return {
    turns,
    busy: turns.at(-1)?.state === 'streaming',
    send,
    stop: () => abort.current?.abort(),
    clear: () => {
      abort.current?.abort()
      setTurns([])
    },
  }
}

function turn(id: number, role: Turn['role'], text: string, state: Turn['state']): Turn {
  return { id, role, text, reasoning: '', facts: {}, state }
}

/** Writes on one turn; pieces of text are put together for a frame, so that a fast stream does not render thousands of times. */
function pen(id: number, setTurns: React.Dispatch<React.SetStateAction<Turn[]>>) {
  let text = ''
  let reasoning = ''
  let frame = 0
  const change = (part: (old: Turn) => Partial<Turn>) => {
    setTurns((all) => all.map((one) => (one.id === id ? { ...one, ...part(one) } : one)))
  }
  const flush = () => {
    cancelAnimationFrame(frame)
    frame = 0
    if (!text && !reasoning) return
    const [newText, newReasoning] = [text, reasoning]
    text = ''
    reasoning = ''
    change((old) => ({ text: old.text + newText, reasoning: old.reasoning + newReasoning }))
  }
  const write = (piece: string, isReasoning: boolean) => {
    if (isReasoning) reasoning += piece
    else text += piece
    frame ||= requestAnimationFrame(flush)
  }
  return { change, flush, write }
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
