import { expect, test } from 'vitest'
import { overviewSearch, requestsSearch, signInSearch } from './search'

test.each([
  ['/requests?status=404', '/requests?status=404'],
  ['//evil.example', undefined],
  ['/\\evil.example', undefined],
  ['https://evil.example', undefined],
  [undefined, undefined],
])('sign-in leads on to %s', (next, want) => expect(signInSearch({ next }).next).toBe(want))

test('a filter keeps what it knows and drops the rest', () => {
  expect(requestsSearch({ status: 404, outcome: 'odd', model: 'gpt', from: 'yesterday', x: 1 })).toEqual({
    provider: undefined,
    endpoint: undefined,
    status: '404',
    outcome: undefined,
    model: 'gpt',
    key: undefined,
    from: undefined,
    to: undefined,
    cursor: undefined,
  })
})

test('a span is one of those that exist', () => {
  expect(overviewSearch({ span: 'week' }).span).toBe('week')
  expect(overviewSearch({ span: 'toString' }).span).toBeUndefined()
})
