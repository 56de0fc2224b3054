// Starts the real binary on a free port, in demo mode, with a data folder of its own, unless one
// runs for all stories already (run.js).
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const binary = fileURLToPath(new URL('../../bin/point', import.meta.url))

export const key = 'pt-e2e-0123456789abcdef'

/** @returns {Promise<{url: string, stop: () => Promise<void>}>} */
export async function start() {
  const shared = process.env.POINT_SDK_URL
  if (shared) return { url: shared, stop: async () => {} }
  const dir = await mkdtemp(join(tmpdir(), 'point-sdk-'))
  const child = spawn(binary, ['serve'], {
    env: {
      PATH: process.env.PATH,
      POINT_LISTEN: '127.0.0.1:0',
      POINT_DATA_DIR: dir,
      POINT_DEMO: 'true',
      POINT_BOOTSTRAP_KEY: key,
      POINT_DRAIN: '2s',
    },
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let output = ''
  const url = await new Promise((resolve, reject) => {
    const read = (text) => {
      output += text
      const found = output.match(/^\s*console:\s+(http\S+)\s/m)
      if (found) resolve(found[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    exited.then(() => reject(new Error(`Point ended at once:\n${output}`)))
  })
  await ready(url)
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function ready(url) {
  for (let tries = 0; tries < 500; tries++) {
    const reply = await fetch(`${url}/readyz`).catch(() => null)
    if (reply?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('Point is not ready in time')
}
