// Anthropic's own client, and the ways in which coding agents use it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { hosted, key, start } from './point.js'

let point
let client
let other

const connect = (url) => new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })

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
  name: 'get_weather',
  description: 'The weather in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const time = {
  name: 'get_time',
  description: 'The time in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

for (const model of ['demo-anthropic/claude-sonnet-4-5', 'demo-openai/gpt-4o-mini', 'demo-gemini/gemini-2.5-flash', 'demo-gemini/gemini-3-pro-preview', ...hosted]) {
  const claude = model.includes('claude')
  describe(model, { concurrency: true }, () => {
    test('a message', async () => {
      const { data, response } = await of(model).messages
        .create({ model, max_tokens: 100, system: [{ type: 'text', text: 'Be short.' }], messages: ask('say seven swans') })
        .withResponse()
      assert.deepEqual(data.content.map((b) => [b.type, b.text]), [['text', 'seven swans']])
      assert.equal(data.type, 'message')
      assert.equal(data.role, 'assistant')
      assert.equal(data.stop_reason, 'end_turn')
      assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0)
      assert.equal(data._request_id, response.headers.get('x-request-id'))
    })

    test('stream with the helper', async () => {
      const stream = of(model).messages.stream({ model, max_tokens: 1000, messages: ask('count to 30') })
      let deltas = 0
      const events = []
      stream.on('text', () => deltas++)
      stream.on('streamEvent', (event) => events.push(event))
      const final = await stream.finalMessage()
      assert.match(final.content[0].text, /^1, 2, 3,.*29, 30$/)
      assert.equal(final.stop_reason, 'end_turn')
      assert.ok(deltas > 3, `${deltas} deltas`)
      assert.equal(events[0].type, 'message_start')
      assert.ok(events[0].message.usage.input_tokens > 0)
      assert.equal(events.at(-1).type, 'message_stop')
      assert.ok(final.usage.output_tokens > 10)
    })

    test('loop with parallel tools, streamed, with what came sent back', async () => {
      const messages = ask('Use get_weather and get_time for Paris.')
      for (let turn = 0; ; turn++) {
        assert.ok(turn < 4, 'the loop does not end')
        const message = await of(model).messages.stream({ model, max_tokens: 4000, tools: [weather, time], messages }).finalMessage()
        messages.push({ role: 'assistant', content: message.content })
        if (message.stop_reason !== 'tool_use') {
          assert.match(message.content.at(-1).text, /18 degrees/)
          break
        }
        const calls = message.content.filter((b) => b.type === 'tool_use')
        assert.equal(calls.length, 2)
        assert.deepEqual(calls.map((c) => typeof c.input.city), ['string', 'string'])
        assert.notEqual(calls[0].id, calls[1].id)
        messages.push({
          role: 'user',
          content: calls.map((c) => ({
            type: 'tool_result',
            tool_use_id: c.id,
            is_error: c.name === 'get_time',
            content: c.name === 'get_time' ? 'no clock' : [{ type: 'text', text: '18 degrees' }],
          })),
        })
      }
      assert.equal(messages.length, 4)
    })

    test('thinking comes back as it was given', async () => {
      const thinking = { type: 'enabled', budget_tokens: 1024 }
      const messages = ask('Use get_weather for Rome.')
      const first = await of(model).messages.stream({ model, max_tokens: 4000, thinking, tools: [weather], messages }).finalMessage()
      if (!/gpt|nova/.test(model)) {
        assert.equal(first.content[0].type, 'thinking')
        assert.ok(first.content[0].thinking && first.content[0].signature)
      }
      const call = first.content.find((b) => b.type === 'tool_use')
      messages.push({ role: 'assistant', content: first.content })
      messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] })
      const second = await of(model).messages.create({ model, max_tokens: 4000, thinking, tools: [weather], messages })
      assert.match(second.content.at(-1).text, /sunny/)
    })

    test('a tool that must be used', async () => {
      const message = await of(model).messages.create({
        model,
        max_tokens: 1000,
        messages: ask('Look it up.'),
        tools: [weather, time],
        tool_choice: { type: 'tool', name: 'get_time', disable_parallel_tool_use: true },
      })
      assert.deepEqual(message.content.filter((b) => b.type === 'tool_use').map((b) => b.name), ['get_time'])
      assert.equal(message.stop_reason, 'tool_use')
    })

    test('an image', async () => {
      const message = await of(model).messages.create({
        model,
        max_tokens: 1000,
        messages: ask([
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
          { type: 'text', text: 'What is this?' },
        ]),
      })
      assert.match(message.content[0].text, /1 image/)
    })

    test('an output format', async () => {
      const message = await of(model).messages.create({
        model,
        max_tokens: 1000,
        messages: ask('Name a city.'),
        output_config: {
          format: {
            type: 'json_schema',
            schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
          },
        },
      })
      assert.equal(typeof JSON.parse(message.content[0].text).city, 'string')
    })

    test('max_tokens and stop sequences', async () => {
      const short = await of(model).messages.create({ model, max_tokens: 5, messages: ask('Write 500 words.') })
      assert.equal(short.stop_reason, 'max_tokens')
      const stopped = await of(model).messages.create({ model, max_tokens: 1000, stop_sequences: ['7'], messages: ask('count to 20') })
      assert.equal(stopped.content[0].text.trim(), '1, 2, 3, 4, 5, 6,')
      assert.equal(stopped.stop_reason, claude ? 'stop_sequence' : 'end_turn')
    })

    test('marks of the cache', async () => {
      const long = 'The quick brown fox jumps over the lazy dog. '.repeat(300) + model
      const system = [{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }]
      const messages = ask([{ type: 'text', text: 'say hi', cache_control: { type: 'ephemeral' } }])
      const again = []
      for (let i = 0; i < 2; i++) again.push(await of(model).messages.create({ model, max_tokens: 100, system, messages }))
      assert.equal(again[1].content[0].text, 'hi')
      if (claude) assert.ok(again[0].usage.cache_creation_input_tokens > 1000)
      if (!model.includes('gemini')) assert.ok(again[1].usage.cache_read_input_tokens > 1000)
      const all = (u) => u.input_tokens + u.cache_read_input_tokens + u.cache_creation_input_tokens
      assert.equal(all(again[0].usage), all(again[1].usage))
    })

    test('a count of tokens', async () => {
      const { data, response } = await of(model).messages
        .countTokens({ model, messages: ask('How many tokens are in this?'), tools: [weather] })
        .withResponse()
      assert.ok(data.input_tokens > 5)
      assert.equal(response.headers.get('x-point-estimated'), model.startsWith('demo-anthropic') ? null : 'true')
    })

    test('abort in mid-stream', async () => {
      const stream = of(model).messages.stream({ model, max_tokens: 20000, messages: ask('count to 9999') })
      let deltas = 0
      stream.on('text', () => ++deltas === 5 && stream.abort())
      await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError)
      assert.ok(deltas < 500, `${deltas} deltas after the abort`)
    })
  })
}

test('a conversation that moves from model to model', async () => {
  const messages = []
  const thinking = { type: 'enabled', budget_tokens: 1024 }
  for (const model of ['demo-gemini/gemini-2.5-flash', 'demo-anthropic/claude-sonnet-4-5', 'demo-openai/o4-mini', 'demo-anthropic/claude-sonnet-4-5']) {
    messages.push(...ask(`say hello from ${model.split('/')[0]}`))
    const reply = await client.messages.create({ model, max_tokens: 4000, thinking, messages })
    assert.equal(reply.content.at(-1).text, `hello from ${model.split('/')[0]}`)
    messages.push({ role: 'assistant', content: reply.content })
  }
})

test('beta calls, and the key as a bearer token', async () => {
  const other = new Anthropic({ baseURL: point.url, apiKey: null, authToken: key, maxRetries: 0 })
  const reply = await other.beta.messages.create({
    model: 'demo-anthropic/claude-sonnet-4-5',
    max_tokens: 100,
    betas: ['interleaved-thinking-2025-05-14', 'something-new-2031-01-01'],
    messages: ask('say hi'),
  })
  assert.equal(reply.content[0].text, 'hi')
})

test("Anthropic's own tools", async () => {
  const tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 2 }]
  const reply = await client.messages.create({ model: 'demo-anthropic/claude-sonnet-4-5', max_tokens: 100, tools, messages: ask('say hi') })
  assert.equal(reply.content[0].text, 'hi')
  await assert.rejects(client.messages.create({ model: 'demo-openai/gpt-4o-mini', max_tokens: 100, tools, messages: ask('say hi') }), (e) => {
    assert.ok(e instanceof Anthropic.BadRequestError)
    assert.match(e.message, /web_search_20250305/)
    return true
  })
})

test('typed errors', async () => {
  const stranger = new Anthropic({ baseURL: point.url, apiKey: 'wrong', maxRetries: 0 })
  await assert.rejects(stranger.messages.create({ model: 'gpt-4o-mini', max_tokens: 1, messages: ask('Hello') }), (e) => {
    assert.ok(e instanceof Anthropic.AuthenticationError)
    assert.equal(e.type, 'authentication_error')
    assert.equal(e.error.error.code, 'invalid_api_key')
    assert.ok(e.requestID)
    return true
  })
  const fails = (model, kind) => assert.rejects(of(model).messages.create({ model, max_tokens: 10, messages: ask('Hello') }), kind)
  await fails('no-such-model', Anthropic.NotFoundError)
  await Promise.all(
    ['demo-openai', 'demo-anthropic', 'demo-gemini', 'bedrock', 'cohere'].flatMap((provider) => [
      fails(`${provider}/fault-429`, Anthropic.RateLimitError),
      fails(`${provider}/fault-503`, Anthropic.InternalServerError),
      fails(`${provider}/fault-400`, Anthropic.BadRequestError),
    ]),
  )
  await assert.rejects(client.messages.create({ max_tokens: 10, messages: ask('Hello') }), Anthropic.BadRequestError)
  await assert.rejects(client.get('/v1/messages/batches'), Anthropic.NotFoundError)
})

// bedrock-broken has a key that asks for the fault: a model that is not called Claude is asked by Converse.
const broken = ['demo-openai', 'demo-anthropic', 'demo-gemini', 'bedrock', 'cohere'].map((provider) => `${provider}/fault-error-midstream`)
for (const model of [...broken, 'bedrock-broken/us.anthropic.claude-sonnet-4-5-20250929-v1:0']) {
  test(`error in mid-stream of ${model}`, async () => {
    const stream = of(model).messages.stream({ model, max_tokens: 1000, messages: ask('count to 30') })
    let deltas = 0
    stream.on('text', () => deltas++)
    await assert.rejects(stream.finalMessage(), Anthropic.APIError)
    assert.ok(deltas > 0)
  })
}

test('what agents look for besides', async () => {
  assert.equal((await fetch(point.url, { method: 'HEAD' })).status, 200)
  const unknown = await fetch(`${point.url}/v1/messages/x?beta=true`, { headers: { 'x-api-key': key } })
  assert.equal(unknown.status, 404)
  assert.equal((await unknown.json()).type, 'error')
  const doubled = await fetch(`${point.url}/v1/v1/messages`, { method: 'POST', headers: { 'x-api-key': key }, body: '{}' })
  assert.match((await doubled.json()).error.message, /without \/v1/)
  const models = await client.models.list()
  assert.ok(models.data.some((m) => m.id === 'claude-sonnet-4-5'))
})
