import { expect, test } from 'vitest'
import { usedPoint } from '~/testing/fake-data'
import { detailWords, gravestFirst } from './alert-words'

test.each([
  [{ detail: 'No price is known.' }, 'No price is known.'],
  [{ key_id: 'a1', failures: 3, message: null }, 'key id: a1 · failures: 3'],
  ['Plain text.', 'Plain text.'],
  [{ seen: [1, 2] }, 'seen: 1, 2'],
  [{ last: { status: 401, key: 'main' } }, 'last: status: 401 · key: main'],
  [null, ''],
])('detail %j', (detail, want) => expect(detailWords(detail)).toBe(want))

test('the gravest alert comes first', () => {
  const alerts = usedPoint(0).alerts.toReversed()
  expect(gravestFirst(alerts).map((alert) => alert.severity)).toEqual(['critical', 'warning'])
})
