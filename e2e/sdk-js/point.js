// Starts the real binary on free ports, with data folders of their own, unless it runs for all
// stories already (run.js): a Point in demo mode, and one whose providers are the simulated services
// that demo mode does without.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const binary = fileURLToPath(new URL('../../bin/point', import.meta.url))

export const key = 'pt-e2e-0123456789abcdef'

// hosted are models of the other Point: by Converse with a signature and with an API key, and Cohere's.
export const hosted = ['bedrock/amazon.nova-lite-v1:0', 'bedrock-key/us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'cohere/command-a-03-2025']

// The access key is that of AWS's documentation, which the simulated service knows.
const providers = (base) => `
settings: {env_allow: [SIM_KEY, SIM_FAULT]}
providers:
  - name: bedrock
    provider: bedrock
    config:
      base_url: ${base}/bedrock
      region: us-east-1
      access_key_id: AKIAIOSFODNN7EXAMPLE
      secret_access_key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
  - name: bedrock-key
    provider: bedrock
    config: {base_url: "${base}/bedrock", region: us-east-1, api_key_env: SIM_KEY}
  - name: bedrock-broken
    provider: bedrock
    config: {base_url: "${base}/bedrock", region: us-east-1, api_key_env: SIM_FAULT}
  - name: cohere
    provider: cohere
    config: {base_url: "${base}/cohere", api_key_env: SIM_KEY}
`

/** @returns {Promise<{url: string, hosts: string, at: (model: string) => string, stop: () => Promise<void>}>} */
export async function start() {
  const shared = process.env.POINT_SDK_URL
  if (shared) return served(shared, process.env.POINT_SDK_HOSTS, [])
  const dir = await mkdtemp(join(tmpdir(), 'point-sdk-'))
  const services = await run(['mock', '--address=127.0.0.1:0', '--token-delay=5ms'], {}, /^\s*openai\s+(http\S+)\/openai\/v1\s/m)
  const file = join(dir, 'point.yaml')
  await writeFile(file, providers(services.url), { mode: 0o600 })
  const [demo, hosts] = await Promise.all([
    serve(join(dir, 'demo'), { POINT_DEMO: 'true' }),
    serve(join(dir, 'hosts'), { POINT_DEMO: 'false', POINT_CONFIG: file, SIM_KEY: 'sim-0123456789', SIM_FAULT: 'fault-error-midstream' }),
  ])
  return served(demo.url, hosts.url, [demo, hosts, services], dir)
}

function served(url, hosts, processes, dir) {
  return {
    url,
    hosts,
    // at is where a model is served.
    at: (model) => (model.startsWith('demo-') || !model.includes('/') ? url : hosts),
    async stop() {
      for (const one of processes) await one.stop()
      if (dir) await rm(dir, { recursive: true, force: true })
    },
  }
}

// serve runs a Point until it is ready.
async function serve(dir, env) {
  const point = await run(
    ['serve'],
    { POINT_LISTEN: '127.0.0.1:0', POINT_DATA_DIR: dir, POINT_BOOTSTRAP_KEY: key, POINT_DRAIN: '2s', ...env },
    /^\s*console:\s+(http\S+)\s/m,
  )
  await ready(point.url)
  return point
}

// run starts the binary and waits for the URL that it prints.
async function run(args, env, pattern) {
  const child = spawn(binary, args, { env: { PATH: process.env.PATH, ...env } })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let output = ''
  const url = await new Promise((resolve, reject) => {
    const read = (text) => {
      output += text
      const found = output.match(pattern)
      if (found) resolve(found[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    exited.then(() => reject(new Error(`Point ended at once:\n${output}`)))
  })
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await exited
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
