import { expect, test } from 'vitest'
import type { ProviderField } from '~/lib/schema'
import { checkValue, removed, toConfig, toValues } from './config'

function field(name: string, type: ProviderField['type'], required = false): ProviderField {
  return { name, title: name, type, required, common: true, default: '', help: '' }
}

const fields = [
  field('base_url', 'url'),
  field('api_key', 'secret'),
  field('models', 'list'),
  field('weight', 'integer'),
  field('headers', 'secret-map'),
  field('strict', 'boolean'),
]

test('a config becomes text and back; a saved secret stays out of both', () => {
  const config = {
    base_url: 'https://a.example',
    api_key: '***abcd',
    models: ['x', 'y'],
    weight: 3,
    headers: { 'X-A': '***' },
    strict: false,
  }
  const values = toValues(fields, config)
  expect(values).toEqual({
    base_url: 'https://a.example',
    api_key: '',
    models: 'x\ny',
    weight: '3',
    headers: 'X-A: ***',
    strict: 'false',
  })
  const { api_key: _, ...kept } = config
  expect(toConfig(fields, values)).toEqual(kept)
})

test('an empty field is left out, a removed secret is null', () => {
  expect(toConfig(fields, { ...toValues(fields, {}), api_key: removed })).toEqual({ api_key: null })
})

test.each<[ProviderField, string, boolean, boolean]>([
  [field('a', 'integer'), '3', false, true],
  [field('a', 'integer'), '3.5', false, false],
  [field('a', 'url'), 'example.com', false, false],
  [field('a', 'url', true), '', false, false],
  [field('a', 'secret', true), '', true, true],
  [field('a', 'secret', true), removed, true, false],
  [field('a', 'map'), 'X-A one', false, false],
])('check %o %s', (one, value, saved, fine) => {
  expect(checkValue(one, value, saved) === true).toBe(fine)
})
