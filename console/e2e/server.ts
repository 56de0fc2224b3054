import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeStream } from 'node:stream/web'
import type { TestProject } from 'vitest/node'
import { freshPoint } from '../src/testing/fake-data.ts'
import { FakePoint, setupToken } from '../src/testing/fake-point.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where Point is, without a slash at its end. */
    url: string
    /** Point itself answers, not the fake. */
    real: boolean
    /** The one-time set-up link. */
    setupUrl: string
  }
}

const root = join(import.meta.dirname, '..')

/** Uses the Point that the environment names, or serves the build in dist over a fake one. */
export async function setup(project: TestProject): Promise<() => void> {
  const { POINT_URL, POINT_SETUP_URL } = process.env
  if (POINT_URL && POINT_SETUP_URL) {
    project.provide('real', true)
    project.provide('url', POINT_URL.replace(/\/$/, ''))
    project.provide('setupUrl', POINT_SETUP_URL)
    return () => undefined
  }
  const fake = new FakePoint({ data: freshPoint(Date.now()), needsSetup: true })
  const { url, close } = await serveFake(fake)
  project.provide('real', false)
  project.provide('url', url)
  project.provide('setupUrl', `${url}/setup?token=${setupToken}`)
  return close
}

/** Serves dist as Point does, its policy included, and everything else from the fake. */
export async function serveFake(fake: FakePoint): Promise<{ url: string; close: () => void }> {
  const csp = (await readFile(join(root, 'embed.go'), 'utf8')).match(/const csp = "(.*)"/)?.[1]
  if (!csp) throw new Error('embed.go has no csp')
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', csp)
    const path = new URL(request.url ?? '/', 'http://point').pathname
    const answer = /^\/(api|v1)\//.test(path)
      ? answerFake(fake, request, response)
      : answerFile(path, response)
    answer.catch((error) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

async function answerFake(
  fake: FakePoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const body = parts.length > 0 ? Buffer.concat(parts) : undefined
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const answer = await fake.handle(
    new Request(`http://point${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      body: body ?? null,
    }),
  )
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.flushHeaders()
  if (!answer.body) {
    response.end()
    return
  }
  const stream = Readable.fromWeb(answer.body as NodeStream)
  response.on('close', () => stream.destroy())
  stream.on('error', () => undefined)
  stream.pipe(response)
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

async function answerFile(path: string, response: ServerResponse): Promise<void> {
  const name = extname(path) && !path.includes('..') ? path : '/index.html'
  const data = await readFile(join(root, 'dist', name)).catch(() => undefined)
  response.writeHead(data ? 200 : 404, { 'content-type': types[extname(name)] ?? 'application/octet-stream' })
  response.end(data)
}
