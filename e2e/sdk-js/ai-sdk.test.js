// Vercel's AI SDK: its OpenAI provider over chat and over responses, and its openai-compatible one.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embed, embedMany, experimental_generateSpeech, experimental_transcribe, generateImage, generateText, Output, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'
import { key, start } from './point.js'

let point
const ways = {}

before(async () => {
  point = await start()
  Object.assign(ways, connect(key))
})
after(() => point?.stop())

function connect(apiKey) {
  const baseURL = `${point.url}/v1`
  const openai = createOpenAI({ baseURL, apiKey })
  const compatible = createOpenAICompatible({ name: 'point', baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true })
  return { chat: openai.chat, responses: openai.responses, compatible: compatible.chatModel, openai, another: compatible }
}

const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

// asked has two tools that note what they are asked.
function asked() {
  const cities = []
  const of = (what) =>
    tool({
      description: `The ${what} in a city`,
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => {
        cities.push(city)
        return { [what]: `18 by ${what}` }
      },
    })
  return { cities, tools: { get_weather: of('weather'), get_time: of('time') } }
}

function counts(usage) {
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0, JSON.stringify(usage))
  assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens)
}

async function whole(result) {
  const parts = []
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error
    parts.push(part)
  }
  return parts
}

for (const way of ['chat', 'responses', 'compatible']) {
  describe(way, { concurrency: true }, () => {
    for (const name of ['gpt-4o-mini', 'demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash', 'demo-gemini/gemini-3-pro-preview']) {
      describe(name, { concurrency: true }, () => {
        const call = (more) => ({ model: ways[way](name), maxRetries: 0, ...more })

        test('text', async () => {
          const reply = await generateText(call({ system: 'Be brief.', prompt: 'say seven swans' }))
          assert.equal(reply.text, 'seven swans')
          assert.equal(reply.finishReason, 'stop')
          assert.deepEqual(reply.warnings ?? [], [])
          counts(reply.usage)
        })

        test('stream', async () => {
          const result = streamText(call({ prompt: 'count to 20' }))
          const deltas = (await whole(result)).filter((p) => p.type === 'text-delta')
          assert.match(deltas.map((p) => p.text).join(''), /^1, 2, 3,.*19, 20$/)
          assert.ok(deltas.length > 3, `${deltas.length} deltas`)
          assert.equal(await result.finishReason, 'stop')
          counts(await result.usage)
        })

        test('tool loop with parallel calls', async () => {
          const { cities, tools } = asked()
          const reply = await generateText(call({ prompt: 'Use get_weather and get_time for Paris.', tools, stopWhen: stepCountIs(4) }))
          assert.match(reply.text, /18 by weather/)
          assert.match(reply.text, /18 by time/)
          assert.equal(cities.length, 2)
          assert.deepEqual(reply.steps.map((s) => s.finishReason), ['tool-calls', 'stop'])
        })

        test('tool loop with parallel calls, streamed', async () => {
          const { cities, tools } = asked()
          const result = streamText(call({ prompt: 'Use get_weather and get_time for Paris.', tools, stopWhen: stepCountIs(4) }))
          const parts = await whole(result)
          assert.equal(parts.filter((p) => p.type === 'tool-call').length, 2)
          assert.ok(parts.some((p) => p.type === 'tool-input-delta'))
          assert.match(await result.text, /18 by weather/)
          assert.equal(cities.length, 2)
          assert.ok(cities.every((city) => typeof city === 'string'))
          counts(await result.totalUsage)
        })

        test('a tool that must be used', async () => {
          const { get_weather, get_time } = asked().tools
          const tools = { get_weather: { ...get_weather, execute: undefined }, get_time: { ...get_time, execute: undefined } }
          const reply = await generateText(call({ prompt: 'Look it up.', tools, toolChoice: { type: 'tool', toolName: 'get_time' } }))
          assert.deepEqual(reply.toolCalls.map((c) => c.toolName), ['get_time'])
          assert.equal(reply.finishReason, 'tool-calls')
        })

        test('structured output', async () => {
          const output = Output.object({ schema: z.object({ city: z.string(), population: z.number().int() }) })
          const reply = await generateText(call({ prompt: 'Name a city.', output }))
          assert.equal(typeof reply.output.city, 'string')
          assert.ok(Number.isInteger(reply.output.population))
          const result = streamText(call({ prompt: 'Name a city.', output }))
          let last
          for await (last of result.partialOutputStream);
          assert.equal(typeof last.city, 'string')
        })

        test('image', async () => {
          const content = [
            { type: 'text', text: 'What is this?' },
            { type: 'image', image: dot },
          ]
          const reply = await generateText(call({ messages: [{ role: 'user', content }] }))
          assert.match(reply.text, /1 image/)
        })

        test('cut short', async () => {
          const reply = await generateText(call({ prompt: 'count to 500', maxOutputTokens: 16 }))
          assert.equal(reply.finishReason, 'length')
        })

        test('abort in mid-stream', async () => {
          const leave = new AbortController()
          const result = streamText(call({ prompt: 'count to 9999', abortSignal: leave.signal }))
          let deltas = 0
          let aborted = false
          for await (const part of result.fullStream) {
            if (part.type === 'text-delta' && ++deltas === 5) leave.abort()
            aborted ||= part.type === 'abort'
          }
          assert.ok(aborted)
          assert.ok(deltas < 500, `${deltas} deltas after the abort`)
        })
      })
    }

    test('thinking', async () => {
      const options = { openai: { reasoningEffort: 'low', reasoningSummary: 'auto', store: false, forceReasoning: true }, point: { reasoningEffort: 'low' } }
      for (const name of ['demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash']) {
        const { tools } = asked()
        const result = streamText({ model: ways[way](name), maxRetries: 0, prompt: 'Use get_weather for Rome.', tools, stopWhen: stepCountIs(4), providerOptions: options })
        await whole(result)
        assert.match(await result.text, /18 by weather/)
        const steps = await result.steps
        assert.ok(way === 'chat' || steps[0].reasoningText, `${name} shows no thought`)
      }
    })

    describe('errors', { concurrency: true }, () => {
      const fails = (model, status, more, found = () => true) =>
        assert.rejects(generateText({ model, prompt: 'Hello', maxRetries: 0, ...more }), (e) => {
          assert.ok(APICallError.isInstance(e), `${e}`)
          assert.equal(e.statusCode, status)
          assert.ok(e.message.length > 10 && !e.message.includes('[object'), e.message)
          return found(e)
        })

      test('own', async () => {
        await fails(connect('sk-wrong')[way]('gpt-4o-mini'), 401)
        await fails(ways[way]('no-such-model'), 404, {}, (e) => e.data.error.code === 'model_not_found')
      })
      for (const provider of ['demo-openai', 'demo-anthropic', 'demo-gemini']) {
        test(provider, async () => {
          await Promise.all([
            fails(ways[way](`${provider}/fault-400`), 400, {}, (e) => !e.isRetryable),
            fails(ways[way](`${provider}/fault-429`), 429, {}, (e) => e.isRetryable),
            fails(ways[way](`${provider}/fault-500`), 500, {}, (e) => e.isRetryable),
          ])
          const result = streamText({ model: ways[way](`${provider}/fault-error-midstream`), prompt: 'count to 30', maxRetries: 0, onError() {} })
          const types = []
          for await (const part of result.fullStream) types.push(part.type)
          assert.ok(types.includes('error') && types.includes('text-delta'), types.join())
          assert.ok((await result.finishReason) !== 'stop')
        })
      }
    })
  })
}

test('embeddings', async () => {
  for (const model of [ways.openai.embedding('text-embedding-3-small'), ways.another.embeddingModel('text-embedding-3-small'), ways.openai.embedding('demo-gemini/gemini-embedding-001')]) {
    const { embeddings, usage } = await embedMany({ model, values: ['one', 'two'] })
    assert.equal(embeddings.length, 2)
    assert.ok(embeddings[0].length > 100)
    assert.ok(usage.tokens > 0)
    assert.deepEqual((await embed({ model, value: 'two' })).embedding, embeddings[1])
  }
})

test('images, speech and transcription', async () => {
  const { images } = await generateImage({ model: ways.openai.image('gpt-image-1'), prompt: 'a swan', n: 2 })
  assert.equal(images.length, 2)
  assert.equal(images[0].mediaType, 'image/png')
  const { audio } = await experimental_generateSpeech({ model: ways.openai.speech('demo-openai/gpt-4o-mini-tts'), text: 'Hello' })
  assert.ok(audio.uint8Array.length > 0)
  const heard = await experimental_transcribe({ model: ways.openai.transcription('demo-openai/whisper-1'), audio: audio.uint8Array })
  assert.ok(heard.text.length > 0)
})
