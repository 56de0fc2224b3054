import { expect, test } from 'vitest'
import type { StatsBucket } from './schema'
import { lonely, sumBuckets, wholeSteps } from './stats'

function bucket(requests: number, p50: number | null, model = 'a'): StatsBucket {
  const latency = { p50, p95: p50, p99: p50 }
  return {
    start: '2026-11-01T00:00:00Z',
    group: { model },
    requests,
    errors: 1,
    tokens_input: 10,
    tokens_output: 5,
    cost: '0.5',
    unpriced: 0,
    cache_hits: 0,
    refused: 0,
    latency,
    ttft: latency,
  }
}

test('sums, and weighs percentiles by requests', () => {
  const [total] = sumBuckets([bucket(3, 100), bucket(1, 200), bucket(0, null)])
  expect(total).toMatchObject({ requests: 4, errors: 3, tokensInput: 30, cost: 1.5, p50: 125 })
})

test('groups by a dimension, the most requests first', () => {
  expect(sumBuckets([bucket(1, 1, 'a'), bucket(5, 1, 'b')], 'model').map((one) => one.name)).toEqual([
    'b',
    'a',
  ])
})

test('nothing is nothing', () => expect(sumBuckets([])).toEqual([]))

test.each([
  [
    [null, 3, null, 4, 5, null, 0],
    [1, 6],
  ],
  [[7], [0]],
  [[null, undefined], []],
])('values alone among gaps: %j', (values, want) => expect(lonely(values)).toEqual(want))

test('the steps of an axis are whole, and rise', () => {
  expect(wholeSteps.slice(0, 6)).toEqual([1, 2, 5, 10, 20, 50])
  expect(wholeSteps.every(Number.isInteger)).toBe(true)
})
