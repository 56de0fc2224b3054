// The catalogue inside @pydantic/genai-prices. The package exports no list of its providers:
// their ids are read from its bundle, and each is then asked for by id.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findProvider } from '@pydantic/genai-prices'

const entry = fileURLToPath(import.meta.resolve('@pydantic/genai-prices'))
const ids = [...readFileSync(entry, 'utf8').matchAll(/^ {4}id: "([^"]+)",$/gm)].map((m) => m[1])

export const providers = ids.map((id) => {
  const p = findProvider({ providerId: id })
  if (p?.id !== id) throw new Error(`provider ${id} is not in the catalogue`)
  return p
})
if (providers.length < 40) throw new Error(`only ${providers.length} providers found: has the bundle changed its shape?`)

export const version = JSON.parse(readFileSync(new URL('../package.json', `file://${entry}`), 'utf8')).version
