import { expect, test } from 'vitest'
import { usedPoint } from '~/testing/fake-data'
import { mappingText, parseMapping } from './mapping'

const [endpoint] = usedPoint(0).endpoints
if (!endpoint) throw new Error('there is no endpoint')
const { mapping } = endpoint

test('the editor suggests nothing that is not available', () => {
  const { value } = parseMapping(mappingText(mapping))
  expect(Object.keys(value ?? {})).toEqual([
    'strategy',
    'rules',
    'fallbacks',
    'retry',
    'timeout',
    'unsupported',
  ])
  expect(value?.retry).toEqual({ attempts: 3, backoff_ms: 100, backoff_max_ms: 2000, budget_percent: 20 })
})

test('what is set all the same is shown', () => {
  const set = {
    ...mapping,
    cache: { ...mapping.cache, mode: 'exact' as const },
    continue_broken_streams: true,
  }
  expect(parseMapping(mappingText(set)).value).toMatchObject({
    cache: set.cache,
    continue_broken_streams: true,
  })
})
