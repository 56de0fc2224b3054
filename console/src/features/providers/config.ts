import type { Provider, ProviderField } from '~/lib/schema'

type Config = Provider['config']

/** What a form holds of a config: text for every field; a boolean is "true", "false" or unset. */
export type ConfigValues = Record<string, string>

/** A saved secret that the user asked to remove; no secret can be this. */
export const removed = '\u0000removed'

/** Fields that most providers are set by; the others stand under "More settings". */
export function isMain(field: ProviderField): boolean {
  return field.required || !field.common || field.name === 'base_url' || field.name === 'api_key'
}

/** The form's start for a saved config. Saved secrets are not in it: an empty field keeps them. */
export function toValues(fields: ProviderField[], config: Config): ConfigValues {
  return Object.fromEntries(fields.map((field) => [field.name, toValue(field, config[field.name])]))
}

function toValue(field: ProviderField, value: unknown): string {
  if (value == null || field.type === 'secret') return ''
  if (Array.isArray(value)) return value.join('\n')
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, text]) => `${name}: ${text}`)
      .join('\n')
  }
  return String(value)
}

/** The mask of a saved secret, such as "***abcd", or nothing. */
export function savedMask(field: ProviderField, config: Config): string | undefined {
  const value = config[field.name]
  return field.type === 'secret' && typeof value === 'string' && value !== '' ? value : undefined
}

/** The config to send. An empty field is left out, which keeps a secret and unsets all else. */
export function toConfig(fields: ProviderField[], values: ConfigValues): Config {
  const config: Config = {}
  for (const field of fields) {
    const value = values[field.name]
    if (value === removed) config[field.name] = null
    else if (value !== undefined && value !== '') config[field.name] = fromValue(field, value)
  }
  return config
}

function fromValue(field: ProviderField, value: string): unknown {
  switch (field.type) {
    case 'boolean':
      return value === 'true'
    case 'integer':
      return Number(value)
    case 'list':
    case 'secrets':
      return lines(value)
    case 'map':
    case 'secret-map':
      return Object.fromEntries(lines(value).map(splitPair))
    case 'secret':
      return value
    default:
      return value.trim()
  }
}

/** What is wrong with a field's text, before the server is asked. */
export function checkValue(field: ProviderField, value: string | undefined, saved: boolean): string | true {
  if (!value || value === removed) {
    return field.required && !(saved && value !== removed) ? `${field.title} is needed.` : true
  }
  if (field.type === 'integer' && !/^\d+$/.test(value)) return 'This must be a whole number.'
  if (field.type === 'url' && !/^https?:\/\/\S+$/.test(value.trim()))
    return 'This must be a URL that begins with https:// or http://.'
  if (
    (field.type === 'map' || field.type === 'secret-map') &&
    lines(value).some((line) => !line.includes(':'))
  ) {
    return 'Write one "Name: value" a line.'
  }
  return true
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

function splitPair(line: string): [string, string] {
  const at = line.indexOf(':')
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
}
