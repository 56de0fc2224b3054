// Writes ../testdata/golden.jsonl: what calcPrice of @pydantic/genai-prices says for the
// kinds, models, days and usages below. table_test.go holds the Go table to it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { calcPrice } from '@pydantic/genai-prices'
import { providers } from './catalogue.mjs'

const usages = [
  { input_tokens: 1210, output_tokens: 318 },
  { input_tokens: 4740, cache_read_tokens: 3000, output_tokens: 255 },
  { input_tokens: 4740, cache_read_tokens: 100, cache_write_tokens: 4000, output_tokens: 255 },
  { input_tokens: 9000, cache_write_tokens: 4000, cache_write_1h_tokens: 1500, output_tokens: 10 },
  { input_tokens: 200000, output_tokens: 1000 },
  { input_tokens: 200001, cache_read_tokens: 150000, output_tokens: 1000 },
  { input_tokens: 900000, output_tokens: 60000 },
]
const audio = { input_tokens: 500, input_audio_tokens: 400, output_tokens: 300, output_audio_tokens: 250 }
const times = ['2024-06-01T00:00:00Z', '2025-06-09T23:59:59Z', '2026-11-22T12:00:00Z', '2026-11-22T20:30:00Z']

const named = {
  openai: [
    'gpt-4o', 'gpt-4o-2024-05-13', 'gpt-4o-2024-08-06', 'gpt-4o-2024-11-20', 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'gpt-4.1', 'gpt-4.1-mini',
    'gpt-4.1-nano-2025-04-14', 'gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'gpt-5.4-mini-2026-03-17', 'gpt-5.5', 'gpt-6-sol', 'o1', 'o3', 'o3-mini', 'o4-mini',
    'text-embedding-3-small', 'text-embedding-3-large', 'GPT-4o', 'ft:gpt-4o-mini:acme::x1', 'no-such-model',
  ],
  anthropic: [
    'claude-3-5-haiku-20241022', 'claude-3-5-sonnet-latest', 'claude-sonnet-4-20250514', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'claude-sonnet-5',
    'claude-haiku-4-5', 'claude-opus-4-1', 'claude-opus-4-8', 'claude-opus-5', 'gpt-4o',
  ],
  google: [
    'gemini-1.5-pro', 'gemini-1.5-flash-002', 'gemini-2.0-flash', 'gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-2.5-flash-lite', 'gemini-3-pro-preview',
    'gemini-3.5-flash', 'gemini-embedding-001', 'claude-sonnet-4-5@20250929',
  ],
  azure: ['gpt-4o', 'gpt-4.1-mini', 'claude-sonnet-4-5'],
}
const mapped = (id) => providers.find((p) => p.id === id).models
const cases = Object.entries(named).flatMap(([provider, models]) => models.map((model) => ({ provider, model })))
for (const provider of ['groq', 'deepseek', 'mistral', 'x-ai', 'cohere', 'moonshotai', 'perplexity', 'cerebras', 'aws', 'openrouter']) {
  const models = mapped(provider)
  const step = Math.max(1, Math.floor(models.length / 12))
  for (let i = 0; i < models.length; i += step) cases.push({ provider, model: models[i].id })
}

// First the usages, then a line per case: its prices in USD, in their order. A case with
// rates that point.Price does not have (images, video, documents) is left out.
const asked = [...usages, audio]
const price = (c, time, usage) => calcPrice(usage, c.model, { providerId: c.provider, timestamp: new Date(time) })
const lines = [{ usages: asked }]
for (const c of cases) {
  for (const time of times) {
    const result = price(c, time, usages[0])
    if (result && Object.keys(result.model_price).some((k) => /image|video|citation|hours|document|messages/.test(k))) continue
    if (result && result.model_price.input_mtok === undefined) continue
    const spoken = result?.model_price.input_audio_mtok !== undefined
    lines.push({ ...c, time, usd: result && asked.map((u) => (u !== audio || spoken ? price(c, time, u).total_price : null)) })
  }
}
mkdirSync(new URL('../testdata/', import.meta.url), { recursive: true })
writeFileSync(new URL('../testdata/golden.jsonl', import.meta.url), lines.map((l) => JSON.stringify(l)).join('\n') + '\n')
