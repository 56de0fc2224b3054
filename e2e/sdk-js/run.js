// Runs the stories, all or those that are named, beside one set of processes.
import { spawn } from 'node:child_process'
import { start } from './point.js'

const point = await start()
const tests = spawn(process.execPath, ['--test', '--test-concurrency=4', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, POINT_SDK_URL: point.url, POINT_SDK_HOSTS: point.hosts },
})
process.exitCode = await new Promise((resolve) => tests.once('exit', (code) => resolve(code ?? 1)))
await point.stop()
