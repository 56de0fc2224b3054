import { isRecord, Problem, toProblem } from './problem'
import { readEvents } from './sse'

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** What is told of an answer besides its text; each part appears when it is known. */
export interface ChatFacts {
  requestId?: string
  provider?: string
  model?: string
  attempts?: number
  cache?: string
  /** ms from sending to the first content. */
  ttft?: number
  /** ms from sending to the end. */
  total?: number
  tokensInput?: number
  tokensOutput?: number
  /** USD; null is unknown. */
  cost?: number | null
  finish?: string
}

interface ChatCall {
  key: string
  model: string
  messages: ChatMessage[]
  signal: AbortSignal
  /** Called with each piece of text, and with whether it is the model's reasoning. */
  onText: (text: string, reasoning: boolean) => void
  onFacts: (facts: ChatFacts) => void
  now?: () => number
}

/**
 * Sends a chat to /v1 as any client would, and reads its stream. Resolves when the stream said
 * that it is whole; throws a Problem if it failed or was cut, and an AbortError if it was
 * aborted. What came until then was handed over.
 */
export async function streamChat({
  key,
  model,
  messages,
  signal,
  onText,
  onFacts,
  now = Date.now,
}: ChatCall): Promise<void> {
  const start = now()
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true } }),
    credentials: 'omit',
    signal,
  })
  onFacts(headerFacts(response.headers))
  if (!response.ok || !response.body) throw toProblem(response, await response.json().catch(() => undefined))

  let whole = false
  let first = true
  for await (const { data } of readEvents(response.body)) {
    if (data === '[DONE]') {
      whole = true
      break
    }
    const chunk = parse(data)
    if (isRecord(chunk.error)) throw streamProblem(chunk.error)
    const { content, reasoning, facts } = readChunk(chunk)
    if (first && (content || reasoning)) {
      first = false
      onFacts({ ttft: now() - start })
    }
    if (reasoning) onText(reasoning, true)
    if (content) onText(content, false)
    onFacts(facts)
  }
  onFacts({ total: now() - start })
  if (!whole) {
    throw new Problem({
      status: 200,
      title: 'Cut off',
      detail: 'The stream ended before the answer was whole.',
    })
  }
}

function headerFacts(headers: Headers): ChatFacts {
  const text = (name: string) => headers.get(name) ?? undefined
  const attempts = Number(headers.get('x-point-attempts'))
  const cost = headers.get('x-point-cost')
  return {
    requestId: text('x-request-id'),
    provider: text('x-point-provider'),
    model: text('x-point-model'),
    cache: text('x-point-cache'),
    ...(attempts > 0 ? { attempts } : {}),
    ...(cost && !Number.isNaN(Number(cost)) ? { cost: Number(cost) } : {}),
  }
}

interface Chunk {
  content: string
  reasoning: string
  facts: ChatFacts
}

/** Reads what the playground shows of one chat.completion.chunk; all else is passed over. */
function readChunk(chunk: Record<string, unknown>): Chunk {
  const choice = Array.isArray(chunk.choices) && isRecord(chunk.choices[0]) ? chunk.choices[0] : {}
  const delta = isRecord(choice.delta) ? choice.delta : {}
  const facts: ChatFacts = {}
  if (typeof choice.finish_reason === 'string') facts.finish = choice.finish_reason
  if (isRecord(chunk.usage)) {
    facts.tokensInput = number(chunk.usage.prompt_tokens)
    facts.tokensOutput = number(chunk.usage.completion_tokens)
    facts.cost = number(chunk.usage.cost) ?? null
  }
  return {
    content: string(delta.content) || string(delta.refusal),
    reasoning: string(delta.reasoning_content) || string(delta.reasoning),
    facts,
  }
}

function streamProblem(error: Record<string, unknown>): Problem {
  return new Problem({
    status: 200,
    title: string(error.code) || 'Cut off',
    detail: string(error.message) || 'The provider failed in the middle of its answer.',
  })
}

function parse(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data)
    return isRecord(value) ? value : {}
  } catch {
    throw new Problem({
      status: 200,
      title: 'Broken stream',
      detail: 'The answer held an event that is not JSON.',
    })
  }
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
