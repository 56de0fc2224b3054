// Writes ../prices.jsonl from the catalogue of @pydantic/genai-prices: a head line, then for
// each provider its line and one line per model. internal/prices/table.go reads it.
import { writeFileSync } from 'node:fs'
import { providers, version } from './catalogue.mjs'

// Rates that point.Price knows, in nano-USD per token from USD per million tokens.
const RATES = {
  input_mtok: 'in',
  output_mtok: 'out',
  cache_read_mtok: 'cache_read',
  cache_write_mtok: 'cache_write',
  cache_write_1h_mtok: 'cache_write_1h',
  input_audio_mtok: 'audio_in',
  output_audio_mtok: 'audio_out',
  output_reasoning_mtok: 'reasoning',
  input_image_mtok: 'image_in',
  output_image_mtok: 'image_out',
}
const round = (x) => Number(x.toPrecision(12))
const at = (price, input) =>
  typeof price === 'number' ? price : price.tiers.reduce((best, t) => (input > t.start ? t.price : best), price.base)

function rates(price, input) {
  const out = {}
  for (const [key, name] of Object.entries(RATES)) {
    if (price[key] !== undefined) out[name] = round(at(price[key], input) * 1000)
  }
  if (price.requests_kcount !== undefined) out.request = round(at(price.requests_kcount, input) * 1e6)
  if (price.web_searches_kcount !== undefined) out.search = round(at(price.web_searches_kcount, input) * 1e6)
  if (price.input_audio_hours !== undefined) out.minute = round((at(price.input_audio_hours, input) * 1e9) / 60)
  return out
}

function priced(price) {
  const starts = new Set(Object.values(price).flatMap((p) => (typeof p === 'object' ? p.tiers.map((t) => t.start) : [])))
  const tiers = [...starts].sort((a, b) => a - b).map((above) => ({ above, ...rates(price, above + 1) }))
  return tiers.length ? { ...rates(price, 0), tiers } : rates(price, 0)
}

// Seconds since midnight UTC of "16:30:00Z".
function seconds(time) {
  const m = /^(\d{2}):(\d{2}):(\d{2})Z$/.exec(time)
  if (!m) throw new Error(`time of day ${time} is not in UTC`)
  return Number(m[1]) * 3600 + Number(m[2]) * 60 + Number(m[3])
}

function conditional({ constraint, prices }) {
  if (constraint === undefined) return priced(prices)
  switch (constraint.type) {
    case 'start_date':
      return { from: constraint.start_date, ...priced(prices) }
    case 'time_of_date':
      return { day: [seconds(constraint.start_time), seconds(constraint.end_time)], ...priced(prices) }
    default:
      throw new Error(`unknown constraint ${JSON.stringify(constraint)}`)
  }
}

// Match rules compare in lower case. RE2 has no lookahead: the one form that occurs becomes "not".
function match(rule) {
  const [[op, value]] = Object.entries(rule)
  switch (op) {
    case 'or':
    case 'and':
      return { [op]: value.map(match) }
    case 'equals':
    case 'starts_with':
    case 'ends_with':
    case 'contains':
      return { [op]: value.toLowerCase() }
    case 'regex': {
      const none = /^\^\(\?!\.\*(.*)\)$/.exec(value)
      if (none) return { not: none[1] }
      if (value.includes('(?')) throw new Error(`regex ${value} needs translating`)
      return { regex: value }
    }
    default:
      throw new Error(`unknown match rule ${op}`)
  }
}

function model(m) {
  const line = { id: m.id, match: match(m.match) }
  if (m.context_window) line.context = m.context_window
  if (m.deprecated) line.deprecated = true
  line.prices = (Array.isArray(m.prices) ? m.prices : [{ prices: m.prices }]).map(conditional)
  return line
}

const lines = [{ source: `@pydantic/genai-prices ${version}`, licence: 'MIT' }]
for (const p of providers) {
  lines.push({ provider: p.id, fallback: p.fallback_model_providers })
  lines.push(...p.models.map(model))
}
writeFileSync(new URL('../prices.jsonl', import.meta.url), lines.map((l) => JSON.stringify(l)).join('\n') + '\n')
