import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai'
import { hosted, key, start } from './point.js'

let point
let client
let other

const connect = (apiKey, baseUrl = point.url) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl } })

// of is the client of where a model is served.
const of = (model) => (point.at(model) === point.url ? client : other)

before(async () => {
  point = await start()
  client = connect(key)
  other = connect(key, point.hosts)
})
after(() => point?.stop())

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const weather = {
  functionDeclarations: [
    {
      name: 'get_weather',
      description: 'The weather in a city',
      parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
    },
  ],
}

for (const model of ['gpt-4o-mini', 'demo-openai/gpt-4o-mini', 'demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash', ...hosted]) {
  describe(`Gemini's client: ${model}`, { concurrency: true }, () => {
    test('text', async () => {
      const reply = await of(model).models.generateContent({
        model,
        contents: 'say seven swans',
        config: { systemInstruction: 'Be brief.', temperature: 0.2, maxOutputTokens: 500 },
      })
      assert.equal(reply.text, 'seven swans')
      assert.equal(reply.candidates[0].finishReason, 'STOP')
      assert.ok(reply.usageMetadata.promptTokenCount > 0)
      assert.ok(reply.usageMetadata.totalTokenCount > reply.usageMetadata.promptTokenCount)
    })

    test('stream', async () => {
      let text = ''
      let chunks = 0
      let last
      for await (const chunk of await of(model).models.generateContentStream({ model, contents: 'count to 30' })) {
        text += chunk.text ?? ''
        chunks++
        last = chunk
      }
      assert.match(text, /^1, 2, 3,.*29, 30$/)
      assert.ok(chunks > 3, `${chunks} chunks`)
      assert.equal(last.candidates[0].finishReason, 'STOP')
      assert.ok(last.usageMetadata.candidatesTokenCount > 0)
    })

    test('a chat keeps its history, streamed or not', async () => {
      const chat = of(model).chats.create({ model })
      for await (const _ of await chat.sendMessageStream({ message: 'count to 12' }));
      const reply = await chat.sendMessage({ message: 'say goodbye' })
      assert.equal(reply.text, 'goodbye')
      const history = chat.getHistory(true)
      assert.equal(history[0].role, 'user')
      assert.ok(history.length > 3, `${history.length} contents are left`)
    })

    test('function calling loop', async () => {
      const contents = [{ role: 'user', parts: [{ text: 'What is the weather in Paris?' }] }]
      const ask = () => of(model).models.generateContent({ model, contents, config: { tools: [weather] } })
      const first = await ask()
      assert.equal(first.functionCalls.length, 1)
      assert.equal(typeof first.functionCalls[0].args.city, 'string')
      contents.push(first.candidates[0].content)
      const { id, name } = first.functionCalls[0]
      contents.push({ role: 'user', parts: [{ functionResponse: { id, name, response: { output: '18 degrees and clear' } } }] })
      assert.match((await ask()).text, /18 degrees/)
    })

    test('streamed function call', async () => {
      const calls = []
      const config = { tools: [weather], toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } }
      for await (const chunk of await of(model).models.generateContentStream({ model, contents: 'Look it up.', config })) {
        calls.push(...(chunk.functionCalls ?? []))
      }
      assert.equal(calls.length, 1)
      assert.equal(typeof calls[0].args.city, 'string')
    })

    test('JSON by a schema', async () => {
      const responseSchema = {
        type: Type.OBJECT,
        properties: { city: { type: Type.STRING }, population: { type: Type.INTEGER } },
        required: ['city', 'population'],
      }
      const reply = await of(model).models.generateContent({
        model,
        contents: 'Name a city.',
        config: { responseMimeType: 'application/json', responseSchema },
      })
      const city = JSON.parse(reply.text)
      assert.equal(typeof city.city, 'string')
      assert.ok(Number.isInteger(city.population))
    })

    test('image', async () => {
      const reply = await of(model).models.generateContent({
        model,
        contents: [{ text: 'What is in this picture?' }, { inlineData: { mimeType: 'image/png', data: pixel } }],
      })
      assert.match(reply.text, /1 image/)
    })

    test('counting tokens', async () => {
      const { totalTokens } = await of(model).models.countTokens({ model, contents: 'How many tokens are these?' })
      assert.ok(totalTokens > 3 && totalTokens < 30, `${totalTokens} tokens`)
    })

    test('leaving in mid-stream', async () => {
      const controller = new AbortController()
      const config = { abortSignal: controller.signal }
      let chunks = 0
      await assert.rejects(async () => {
        for await (const _ of await of(model).models.generateContentStream({ model, contents: 'count to 9999', config })) {
          if (++chunks === 3) controller.abort()
        }
      })
      assert.ok(chunks < 1000, `${chunks} chunks`)
    })
  })
}

describe("Gemini's client: errors and models", { concurrency: true }, () => {
  const failing = (model, apiKey = key) => connect(apiKey).models.generateContent({ model, contents: 'Hello' })

  for (const [name, model, apiKey, status, reason] of [
    ['wrong key', 'gpt-4o-mini', 'wrong', 401, 'invalid_api_key'],
    ['unknown model', 'no-such-model', key, 404, 'model_not_found'],
    ['all targets fail', 'demo-openai/fault-503', key, 503, 'provider_unavailable'],
    ['rate limit', 'demo-gemini/fault-429', key, 429, 'provider_rate_limited'],
  ]) {
    test(name, async () => {
      await assert.rejects(failing(model, apiKey), (error) => {
        assert.ok(error instanceof ApiError)
        assert.equal(error.status, status)
        assert.match(error.message, new RegExp(reason))
        return true
      })
    })
  }

  test('an error in mid-stream', async () => {
    let chunks = 0
    await assert.rejects(async () => {
      const stream = await client.models.generateContentStream({ model: 'demo-openai/fault-error-midstream', contents: 'count to 30' })
      for await (const _ of stream) chunks++
    })
    assert.ok(chunks > 0)
  })

  for (const model of ['text-embedding-3-small', 'demo-gemini/gemini-embedding-001']) {
    test(`embeddings of ${model}`, async () => {
      const config = { outputDimensionality: 64 }
      const one = await client.models.embedContent({ model, contents: 'a quiet river', config })
      assert.equal(one.embeddings.length, 1)
      assert.equal(one.embeddings[0].values.length, 64)
      const two = await client.models.embedContent({ model, contents: ['a quiet river', 'a loud street'], config })
      assert.equal(two.embeddings.length, 2)
      assert.deepEqual(two.embeddings[0].values, one.embeddings[0].values)
      assert.notDeepEqual(two.embeddings[1].values, one.embeddings[0].values)
    })
  }

  test('list of models', async () => {
    const names = []
    for await (const model of await client.models.list({ config: { pageSize: 5 } })) names.push(model.name)
    assert.ok(names.includes('models/demo-openai/gpt-4o-mini'))
    assert.equal((await client.models.get({ model: 'demo-openai/gpt-4o-mini' })).name, 'models/demo-openai/gpt-4o-mini')
  })
})
