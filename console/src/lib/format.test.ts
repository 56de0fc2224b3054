import { expect, test } from 'vitest'
import { ago, clock, compact, duration, money, percent } from './format'

test.each([
  [null, '–'],
  ['', '–'],
  ['0', '$0'],
  ['0.000847', '$0.000847'],
  ['0.0000000012', '$0.000000001'],
  [0.1, '$0.1'],
  ['0.12345', '$0.123'],
  ['12.5', '$12.50'],
  ['1234.567', '$1,234.57'],
])('money %s', (usd, want) => expect(money(usd)).toBe(want))

test.each([
  [null, '–'],
  [0, '<1 ms'],
  [840.4, '840 ms'],
  [1240, '1.24 s'],
  [61_500, '1 m 02 s'],
])('duration %s', (ms, want) => expect(duration(ms)).toBe(want))

test('numbers', () => {
  expect(compact(12_345_678)).toBe('12.3M')
  expect(compact(5001)).toBe('5,001')
  expect(percent(0.0123)).toBe('1.2%')
  expect(percent(Number.NaN)).toBe('–')
})

test('times', () => {
  const now = new Date('2026-11-22T12:00:00Z')
  expect(ago('2026-11-22T11:57:00Z', now.getTime())).toBe('3 min. ago')
  expect(ago('2026-11-22T11:59:59.5Z', now.getTime())).toBe('now')
  expect(clock('2025-01-02T00:00:00Z', now)).toMatch(/2025/)
})
