import { count, money } from '~/lib/format'
import type { CreateKey, Key, KeyLimits } from '~/lib/schema'

/** What the form of a new key holds: text, as it is typed. */
export interface KeyValues {
  name: string
  models: string
  expires: '' | '1' | '7' | '30' | '90' | '365'
  limits: Record<keyof KeyLimits, string>
}

export const noValues: KeyValues = {
  name: '',
  models: '',
  expires: '',
  limits: { rpm: '', tpm: '', concurrency: '', budget_day: '', budget_month: '' },
}

/** What is said wherever limits are set or shown: this version of Point holds no key to them. */
export const notEnforced = 'Kept, and not enforced yet'

export const limitFields: { name: keyof KeyLimits; label: string; unit: string; usd?: boolean }[] = [
  { name: 'rpm', label: 'Requests a minute', unit: '/min' },
  { name: 'tpm', label: 'Tokens a minute', unit: 'tokens/min' },
  { name: 'concurrency', label: 'Requests at once', unit: 'at once' },
  { name: 'budget_day', label: 'Budget a day, USD', unit: '/day', usd: true },
  { name: 'budget_month', label: 'Budget a month, USD', unit: '/month', usd: true },
]

/** What is wrong with the text of a limit. */
export function checkLimit(value: string, usd: boolean | undefined): string | true {
  const text = value.trim()
  if (text === '') return true
  if (usd) return /^\d{1,9}([.]\d{1,9})?$/.test(text) || 'This must be an amount such as 12.50.'
  return (/^\d+$/.test(text) && Number(text) > 0) || 'This must be a whole number above 0.'
}

/** The request that makes the key; what was left empty is left out. */
export function toCreateKey(values: KeyValues, now = Date.now()): CreateKey {
  const models = values.models
    .split(/[\n,]/)
    .map((model) => model.trim())
    .filter(Boolean)
  const limits: KeyLimits = {}
  for (const { name, usd } of limitFields) {
    const text = values.limits[name].trim()
    if (text !== '') Object.assign(limits, { [name]: usd ? text : Number(text) })
  }
  return {
    name: values.name.trim(),
    ...(models.length > 0 ? { models } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(values.expires
      ? { expires_at: new Date(now + Number(values.expires) * 86_400_000).toISOString() }
      : {}),
  }
}

/** A key's limits in words. */
export function limitWords(key: Key): string[] {
  return limitFields.flatMap(({ name, unit, usd }) => {
    const value = key.limits[name]
    if (value == null) return []
    return [`${usd ? money(value) : count(Number(value))}${unit.startsWith('/') ? '' : ' '}${unit}`]
  })
}
