import { expect, test } from 'vitest'
import { readEvents, type ServerEvent } from './sse'

function streamOf(chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
      controller.close()
    },
  })
}

async function all(chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const events: ServerEvent[] = []
  for await (const event of readEvents(streamOf(chunks))) events.push(event)
  return events
}

const euro = new TextEncoder().encode('data: €\n\n')

test.each<[string, (string | Uint8Array)[], ServerEvent[]]>([
  ['one event', ['data: a\n\n'], [{ event: 'message', data: 'a' }]],
  [
    'CRLF',
    ['data: a\r\n\r\ndata: b\r\n\r\n'],
    [
      { event: 'message', data: 'a' },
      { event: 'message', data: 'b' },
    ],
  ],
  [
    'CR alone',
    ['data: a\r\rdata: b\r\r\n'],
    [
      { event: 'message', data: 'a' },
      { event: 'message', data: 'b' },
    ],
  ],
  ['CRLF cut in the middle', ['data: a\r', '\n\r', '\n'], [{ event: 'message', data: 'a' }]],
  ['a character cut in the middle', [euro.slice(0, 7), euro.slice(7)], [{ event: 'message', data: '€' }]],
  ['lines of data are joined', ['data: a\ndata: b\n\n'], [{ event: 'message', data: 'a\nb' }]],
  ['a name, and a comment', [': ping\n\nevent: error\ndata: {}\n\n'], [{ event: 'error', data: '{}' }]],
  ['no space after the colon', ['data:a\n\n'], [{ event: 'message', data: 'a' }]],
  ['an event that the end cuts off', ['data: a\n\ndata: b\n'], [{ event: 'message', data: 'a' }]],
  ['nothing', [], []],
])('%s', async (_, chunks, want) => {
  expect(await all(chunks)).toEqual(want)
})
