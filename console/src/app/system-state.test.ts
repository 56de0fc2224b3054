import { expect, test } from 'vitest'
import type { FakeData } from '~/testing/fake-data'
import { status, usedPoint } from '~/testing/fake-data'
import { systemState } from './system-state'

function words(change: (data: FakeData) => void, part: Partial<Parameters<typeof systemState>[0]> = {}) {
  const data = usedPoint(0)
  for (const provider of data.providers) provider.health = { state: 'ok' }
  data.alerts = []
  change(data)
  return systemState({ silent: false, status: status(0, data), ...data, ...part }).words
}

const health =
  (state: string, n = 0) =>
  (data: FakeData) => {
    const provider = data.providers[n]
    if (provider) provider.health = { state, message: 'No key.' }
  }
const alerts = (from: number) => (data: FakeData) => {
  data.alerts = usedPoint(0).alerts.slice(from)
}

test('all is well only if nothing ails', () => {
  expect(words(() => undefined)).toBe('All well')
  expect(words(health('down'))).toBe('1 provider down')
  expect(words(health('degraded'))).toBe('1 provider ailing')
  expect(words(alerts(0))).toBe('1 grave alert')
  expect(words(alerts(1))).toBe('1 open alert')
  expect(words(() => undefined, { silent: true })).toBe('Point does not answer')
})

test('an inactive provider is asked nothing, so it ails nobody', () => {
  const idle = (data: FakeData) => {
    health('down')(data)
    if (data.providers[0]) data.providers[0].status = 'inactive'
  }
  expect(words(idle)).toBe('All well')
})

test('the hint names what ails', () => {
  const data = usedPoint(0)
  const { hint } = systemState({ silent: false, status: status(0, data), ...data })
  expect(hint.split('\n')).toEqual([
    'openai-main: The service refuses the key.',
    'demo-gemini: 3 of the last 20 calls timed out.',
    'openai-main: A provider refuses its key',
    'demo-gemini/gemini-next: A model has no known price',
  ])
})
