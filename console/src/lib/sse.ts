/** One server-sent event. */
export interface ServerEvent {
  event: string
  data: string
}

/**
 * Reads a stream of server-sent events by the standard: any line end, comments left out, data
 * lines joined. An event that the end of the stream cuts off is dropped.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let event = ''
  let data: string[] = []
  for await (const line of readLines(body)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n') }
      event = ''
      data = []
      continue
    }
    const at = line.indexOf(':')
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
  }
}

/** Lines that end in LF, CRLF or CR, wherever the chunks are cut. */
async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += decoder.decode(value, { stream: true })
      // A CR at the end may be the first half of a CRLF: it waits for what follows.
      const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest
      const lines = whole.split(/\r\n|\n|\r/)
      const tail = lines.pop() ?? ''
      rest = rest.endsWith('\r') ? `${tail}\r` : tail
      yield* lines
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
