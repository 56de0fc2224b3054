import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { hosted, key, start } from './point.js'

let point
let client
let other

const connect = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })

// of is the client of where a model is served.
const of = (model) => (point.at(model) === point.url ? client : other)

before(async () => {
  point = await start()
  client = connect(point.url)
  other = connect(point.hosts)
})
after(() => point?.stop())

const ask = (content) => [{ role: 'user', content }]

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
}

for (const model of ['gpt-4o-mini', 'demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash', ...hosted]) {
  describe(model, { concurrency: true }, () => {
    test('chat', async () => {
      const reply = await of(model).chat.completions.create({ model, messages: ask('say seven swans') })
      assert.equal(reply.choices[0].message.content, 'seven swans')
      assert.equal(reply.choices[0].finish_reason, 'stop')
      assert.ok(reply.usage.prompt_tokens > 0)
      assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens)
      assert.ok(reply._request_id)
    })

    test('stream with the helper', async () => {
      const stream = of(model).chat.completions.stream({
        model,
        messages: ask('count to 30'),
        stream_options: { include_usage: true },
      })
      let deltas = 0
      stream.on('content', () => deltas++)
      const final = await stream.finalChatCompletion()
      assert.match(final.choices[0].message.content, /^1, 2, 3,.*29, 30$/)
      assert.ok(deltas > 3, `${deltas} deltas`)
      assert.ok((await stream.totalUsage()).completion_tokens > 0)
    })

    test('tool loop with the helper', async () => {
      const asked = []
      const runner = of(model).chat.completions.runTools({
        model,
        messages: ask('What is the weather in Paris?'),
        tools: [
          {
            type: 'function',
            function: {
              ...weather.function,
              parse: JSON.parse,
              function: (args) => {
                asked.push(args)
                return '18 degrees and clear'
              },
            },
          },
        ],
      })
      assert.match(await runner.finalContent(), /18 degrees/)
      assert.equal(asked.length, 1)
      assert.equal(typeof asked[0].city, 'string')
    })

    test('streamed tool call', async () => {
      const stream = of(model).chat.completions.stream({
        model,
        messages: ask('Look it up.'),
        tools: [weather],
        tool_choice: 'required',
      })
      const message = await stream.finalMessage()
      assert.equal(message.tool_calls.length, 1)
      assert.equal(typeof JSON.parse(message.tool_calls[0].function.arguments).city, 'string')
    })

    test('structured output', async () => {
      const reply = await of(model).chat.completions.parse({
        model,
        messages: ask('Name a city.'),
        response_format: {
          type: 'json_schema',
          json_schema: {
            name: 'city',
            strict: true,
            schema: {
              type: 'object',
              properties: { city: { type: 'string' }, population: { type: 'integer' } },
              required: ['city', 'population'],
              additionalProperties: false,
            },
          },
        },
      })
      const city = JSON.parse(reply.choices[0].message.content)
      assert.equal(typeof city.city, 'string')
      assert.ok(Number.isInteger(city.population))
    })

    test('structured output by zod, whole and streamed', async () => {
      const City = z.object({ city: z.string(), rivers: z.array(z.object({ name: z.string() })), kind: z.enum(['old', 'new']), mayor: z.string().nullable() })
      const request = { model, messages: ask('Name a city.'), response_format: zodResponseFormat(City, 'city') }
      const reply = await of(model).chat.completions.parse(request)
      assert.ok(City.safeParse(reply.choices[0].message.parsed).success)
      const final = await of(model).chat.completions.stream(request).finalChatCompletion()
      assert.ok(City.safeParse(final.choices[0].message.parsed).success)
    })

    test('streamed tool loop with parallel calls by zod', async () => {
      const asked = []
      const parameters = z.object({ city: z.string() })
      const toolOf = (name) => zodFunction({ name, parameters, function: (args) => (asked.push(args), `${name}: 18`) })
      const runner = of(model).chat.completions.runTools({
        model,
        stream: true,
        messages: ask('Use get_weather and get_time for Paris.'),
        tools: [toolOf('get_weather'), toolOf('get_time')],
      })
      const text = await runner.finalContent()
      assert.match(text, /get_weather: 18/)
      assert.match(text, /get_time: 18/)
      assert.equal(asked.length, 2)
      assert.ok(asked.every((args) => typeof args.city === 'string'))
      assert.ok(runner.messages.filter((m) => m.role === 'tool').every((m) => m.tool_call_id))
    })
  })
}

describe('errors of providers', { concurrency: true }, () => {
  for (const provider of ['demo-openai', 'demo-anthropic', 'demo-gemini', 'bedrock', 'cohere']) {
    test(provider, async () => {
      const fails = (fault, kind, found = () => true) =>
        assert.rejects(of(`${provider}/`).chat.completions.create({ model: `${provider}/fault-${fault}`, messages: ask('Hello') }), (e) => {
          assert.ok(e instanceof kind, `${fault}: ${e}`)
          assert.ok(e.message.length > 10 && e.type && e.requestID, JSON.stringify(e))
          return found(e)
        })
      await Promise.all([
        fails('400', OpenAI.BadRequestError),
        fails('401', OpenAI.InternalServerError, (e) => e.status === 502), // the client's own key was right
        fails('404-model', OpenAI.NotFoundError),
        fails('422', OpenAI.UnprocessableEntityError),
        fails('429=none', OpenAI.RateLimitError),
        fails('500', OpenAI.InternalServerError),
        fails('503', OpenAI.InternalServerError),
        fails('context', OpenAI.BadRequestError),
      ])
    })
  }
})

test('abort in mid-stream', async () => {
  const stream = await client.chat.completions.create({ model: 'demo-openai/gpt-4o-mini', stream: true, messages: ask('count to 9999') })
  let chunks = 0
  for await (const _ of stream) {
    if (++chunks === 5) stream.controller.abort()
  }
  assert.ok(chunks < 500, `${chunks} chunks after the abort`)
})

test('typed errors', async () => {
  const stranger = new OpenAI({ baseURL: `${point.url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 })
  await assert.rejects(stranger.chat.completions.create({ model: 'gpt-4o-mini', messages: ask('Hello') }), (e) => {
    assert.ok(e instanceof OpenAI.AuthenticationError)
    assert.equal(e.code, 'invalid_api_key')
    assert.ok(e.requestID)
    return true
  })
  await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages: ask('Hello') }), (e) => {
    assert.ok(e instanceof OpenAI.NotFoundError)
    assert.equal(e.code, 'model_not_found')
    assert.equal(e.param, 'model')
    return true
  })
  await assert.rejects(client.chat.completions.create({ messages: ask('Hello') }), OpenAI.BadRequestError)
})

test('error in mid-stream', async () => {
  const stream = await client.chat.completions.create({
    model: 'demo-openai/fault-error-midstream',
    stream: true,
    messages: ask('count to 30'),
  })
  let chunks = 0
  await assert.rejects(async () => {
    for await (const _ of stream) chunks++
  }, OpenAI.APIError)
  assert.ok(chunks > 0)
})

test('embeddings: base64 by default, floats when asked for, the same numbers', async () => {
  const input = ['one', 'two']
  const model = 'text-embedding-3-small'
  const packed = await client.embeddings.create({ model, input })
  const plain = await client.embeddings.create({ model, input, encoding_format: 'float' })
  assert.equal(packed.data.length, 2)
  assert.ok(packed.data[0].embedding.length > 100)
  for (const [i, x] of plain.data[1].embedding.entries()) {
    assert.ok(Math.abs(x - packed.data[1].embedding[i]) < 1e-6)
  }
})

test("Cohere's embeddings, by the same names", async () => {
  const input = ['one', 'two']
  const packed = await other.embeddings.create({ model: 'cohere/embed-v4.0', input, dimensions: 256 })
  const plain = await other.embeddings.create({ model: 'cohere/embed-v4.0', input, dimensions: 256, encoding_format: 'float' })
  assert.deepEqual(packed.data.map((one) => one.embedding.length), [256, 256])
  assert.ok(packed.usage.prompt_tokens > 0)
  for (const [i, x] of plain.data[1].embedding.entries()) {
    assert.ok(Math.abs(x - packed.data[1].embedding[i]) < 1e-6)
  }
})

test('models', async () => {
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  assert.ok(ids.includes('gpt-4o-mini'))
  assert.ok(ids.includes('demo-gemini/gemini-2.5-flash'))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal((await client.models.retrieve('demo-openai/gpt-4o-mini')).id, 'demo-openai/gpt-4o-mini')
})
