import { count, money } from '~/lib/format'
import type { CreateKey, Key, KeyLimits, KeyUsed } from '~/lib/schema'

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

interface LimitField {
  name: keyof KeyLimits
  label: string
  unit: string
  /** Where a key's usage tells how much of it is used. */
  used: keyof KeyUsed
  usd?: boolean
}

export const limitFields: LimitField[] = [
  { name: 'rpm', label: 'Requests a minute', unit: '/min', used: 'requests_minute' },
  { name: 'tpm', label: 'Tokens a minute', unit: 'tokens/min', used: 'tokens_minute' },
  { name: 'concurrency', label: 'Requests at once', unit: 'at once', used: 'open' },
  { name: 'budget_day', label: 'Budget a day, USD', unit: '/day', used: 'day', usd: true },
  { name: 'budget_month', label: 'Budget a month, USD', unit: '/month', used: 'month', usd: true },
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

/** A key's limits in words, with what is used of them where that is known. */
export function limitWords(key: Key): string[] {
  return limitFields.flatMap(({ name, unit, used, usd }) => {
    const value = key.limits[name]
    if (value == null) return []
    const words = (amount: string | number) => (usd ? money(amount) : count(Number(amount)))
    const part = key.usage ? `${words(key.usage[used])} of ` : ''
    return [`${part}${words(value)}${unit.startsWith('/') ? '' : ' '}${unit}`]
  })
}
