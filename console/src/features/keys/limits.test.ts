import { expect, test } from 'vitest'
import { key } from '~/testing/fake-data'
import { checkLimit, limitWords, noValues, toCreateKey } from './limits'

test('limits in words: amounts as money, counts with their thousands', () => {
  const limits = { tpm: 100_000, concurrency: 4, budget_day: '12.5' }
  const limited = { ...key(0, 2, 'a', 'pt-a'), limits }
  expect(limitWords(limited)).toEqual(['100,000 tokens/min', '4 at once', '$12.50/day'])
})

test('limits with what is used of them', () => {
  expect(limitWords(key(0, 1, 'a', 'pt-a'))).toEqual(['12 of 600/min', '$45.60 of $250.00/month'])
})

test.each([
  ['', false, true],
  ['60', false, true],
  ['0', false, false],
  ['1.5', false, false],
  ['12.50', true, true],
  ['-1', true, false],
  ['1e3', true, false],
])('check %j, usd %s', (text, usd, fine) => expect(checkLimit(text, usd) === true).toBe(fine))

test('what was left empty is left out of the request', () => {
  expect(toCreateKey({ ...noValues, name: ' a ' })).toEqual({ name: 'a' })
  const values = { ...noValues, name: 'a', models: 'x\n y,z ', expires: '1' as const }
  expect(toCreateKey({ ...values, limits: { ...values.limits, rpm: '60', budget_day: '1.5' } }, 0)).toEqual({
    name: 'a',
    models: ['x', 'y', 'z'],
    limits: { rpm: 60, budget_day: '1.5' },
    expires_at: '1970-01-02T00:00:00.000Z',
  })
})
