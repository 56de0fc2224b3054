import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const limit = 30_000

/** A child that was started, and how to end it. */
export interface Running {
  url: string
  stop: () => Promise<void>
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (!address || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** A fresh Point of its own for stories that need other settings; its owner is there already. */
export async function startPoint(port: number, env: Record<string, string> = {}): Promise<Running> {
  const dir = await mkdtemp(join(tmpdir(), 'point-story-'))
  const url = `http://127.0.0.1:${port}`
  const settings = {
    POINT_LISTEN: `127.0.0.1:${port}`,
    POINT_DATA_DIR: dir,
    POINT_DEMO: 'false',
    POINT_DRAIN: '2s',
    POINT_LOG_LEVEL: 'error',
  }
  const child = start(join(root, 'bin/point'), ['serve'], { ...settings, ...env })
  await answers(`${url}/readyz`, child)
  const stop = async () => {
    await end(child)
    await rm(dir, { recursive: true, force: true })
  }
  return { url, stop }
}

/** The tests' OpenID provider. It is at localhost, which is another site than Point's 127.0.0.1. */
export async function startProvider(port: number, redirect: string): Promise<Running> {
  const url = `http://localhost:${port}`
  const args = ['-listen', `127.0.0.1:${port}`, '-issuer', url, '-redirect', redirect]
  const child = start(join(root, '.cache/openid-provider'), args, {})
  await answers(`http://127.0.0.1:${port}/.well-known/openid-configuration`, child)
  return { url, stop: () => end(child) }
}

/** Builds that provider. */
export async function buildProvider(): Promise<void> {
  const args = ['build', '-o', '.cache/openid-provider', './internal/openidtest/serve']
  const child = spawn('go', args, { cwd: root, stdio: 'inherit' })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error('the OpenID provider of the tests cannot be built')
}

function start(program: string, args: string[], env: Record<string, string>): ChildProcess {
  return spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Waits until the child answers at the address. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  const from = Date.now()
  while (
    !(await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() - from > limit) {
      await end(child)
      throw new Error(`${url} does not answer`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.kill()
  await ended
}
