import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod'
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

// said is the text of a response; the stream's helper leaves output_text to its user.
const said = (response) =>
  response.output.flatMap((item) => (item.type === 'message' ? item.content.map((part) => part.text) : [])).join('')

const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  strict: true,
}
const time = { ...weather, name: 'get_time', description: 'The time in a city' }

for (const model of ['demo-openai/gpt-4o-mini', 'demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash', ...hosted]) {
  const native = model.startsWith('demo-openai')

  describe(model, { concurrency: true }, () => {
    test('text', async () => {
      const reply = await of(model).responses.create({ model, instructions: 'Be brief.', input: 'say seven swans', metadata: { run: '7' } })
      assert.equal(reply.output_text, 'seven swans')
      assert.equal(reply.status, 'completed')
      assert.equal(reply.metadata.run, '7')
      assert.ok(reply.usage.input_tokens > 0)
      assert.equal(reply.usage.total_tokens, reply.usage.input_tokens + reply.usage.output_tokens)
    })

    test('stream with the helper', async () => {
      const stream = of(model).responses.stream({ model, input: 'count to 30' })
      let deltas = 0
      let number = 0
      stream.on('event', (e) => assert.equal(e.sequence_number, number++))
      stream.on('response.output_text.delta', () => deltas++)
      const final = await stream.finalResponse()
      assert.match(said(final), /^1, 2, 3,.*29, 30$/)
      assert.ok(deltas > 3, `${deltas} deltas`)
      assert.ok(final.usage.output_tokens > 0)
    })

    // What Codex does: nothing is stored, the client sends all back, reasoning with its content.
    test('tool loop with parallel calls and reasoning', async () => {
      const input = [{ role: 'user', content: 'What is the weather and the time in Paris?' }]
      const ask = () =>
        of(model).responses
          .stream({
            model,
            instructions: 'You have tools.',
            input,
            tools: [weather, time],
            parallel_tool_calls: true,
            reasoning: { effort: 'low', summary: 'auto' },
            store: false,
            include: ['reasoning.encrypted_content'],
            prompt_cache_key: 'a-session',
          })
          .finalResponse()
      const first = await ask()
      const calls = first.output.filter((item) => item.type === 'function_call')
      assert.deepEqual(calls.map((call) => call.name).sort(), ['get_time', 'get_weather'])
      if (!model.includes('nova')) assert.ok(first.output.some((item) => item.type === 'reasoning' && item.encrypted_content))
      input.push(...first.output.map(({ parsed_arguments, ...item }) => item))
      for (const call of calls) {
        assert.equal(typeof JSON.parse(call.arguments).city, 'string')
        input.push({ type: 'function_call_output', call_id: call.call_id, output: `${call.name} says 18` })
      }
      const last = await ask()
      assert.match(said(last), /says 18/)
    })

    test('structured output', async () => {
      const reply = await of(model).responses.parse({
        model,
        input: 'Name a city.',
        text: {
          format: {
            type: 'json_schema',
            name: 'city',
            strict: true,
            schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
          },
        },
      })
      assert.equal(typeof JSON.parse(reply.output_text).city, 'string')
    })

    test('structured output by zod, whole and streamed', async () => {
      const City = z.object({ city: z.string(), rivers: z.array(z.object({ name: z.string() })), kind: z.enum(['old', 'new']), mayor: z.string().nullable() })
      const request = { model, input: 'Name a city.', text: { format: zodTextFormat(City, 'city') } }
      assert.ok(City.safeParse((await of(model).responses.parse(request)).output_parsed).success)
      assert.ok(City.safeParse((await of(model).responses.stream(request).finalResponse()).output_parsed).success)
    })

    test('tool by zod', async () => {
      const tools = [zodResponsesFunction({ name: 'get_weather', parameters: z.object({ city: z.string() }) })]
      const reply = await of(model).responses.parse({ model, input: 'Use get_weather for Paris.', tools })
      const call = reply.output.find((item) => item.type === 'function_call')
      assert.equal(typeof call.parsed_arguments.city, 'string')
    })

    test('image', async () => {
      const dot = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
      const content = [
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image_url: dot, detail: 'auto' },
      ]
      const reply = await of(model).responses.create({ model, input: [{ role: 'user', content }] })
      assert.match(reply.output_text, /1 image/)
    })

    test('cut short', async () => {
      const reply = await of(model).responses.create({ model, input: 'count to 500', max_output_tokens: 16 })
      assert.equal(reply.status, 'incomplete')
      assert.equal(reply.incomplete_details.reason, 'max_output_tokens')
    })

    test('abort in mid-stream', async () => {
      const stream = await of(model).responses.create({ model, stream: true, input: 'count to 9999' })
      let events = 0
      for await (const _ of stream) {
        if (++events === 8) stream.controller.abort()
      }
      assert.ok(events < 500, `${events} events after the abort`)
    })

    if (native) return

    test('goes on from a response', async () => {
      const first = await of(model).responses.create({ model, input: 'What is the weather in Paris?', tools: [weather], reasoning: { effort: 'low' } })
      const call = first.output.find((item) => item.type === 'function_call')
      const output = { type: 'function_call_output', call_id: call.call_id, output: '18 degrees' }
      const second = await of(model).responses.create({ model, previous_response_id: first.id, input: [output], tools: [weather] })
      assert.match(second.output_text, /18 degrees/)
      assert.equal(second.previous_response_id, first.id)

      const kept = await of(model).responses.retrieve(second.id)
      assert.equal(kept.output_text, second.output_text)
      const elsewhere = point.at(model) === point.url ? 'demo-openai/gpt-4o-mini' : 'bedrock-key/us.anthropic.claude-haiku-4-5-20251001-v1:0'
      const moved = await of(model).responses.create({ model: elsewhere, previous_response_id: second.id, input: 'say it moved' })
      assert.equal(moved.output_text, 'it moved')

      await of(model).responses.delete(second.id)
      await assert.rejects(of(model).responses.retrieve(second.id), OpenAI.NotFoundError)
      await assert.rejects(of(model).responses.create({ model, previous_response_id: second.id, input: 'and?' }), OpenAI.NotFoundError)
      const silent = await of(model).responses.create({ model, input: 'say nothing stays', store: false })
      await assert.rejects(of(model).responses.retrieve(silent.id), OpenAI.NotFoundError)
    })

    test('tools that only OpenAI has', async () => {
      await assert.rejects(of(model).responses.create({ model, input: 'x', tools: [{ type: 'web_search' }] }), (e) => {
        assert.ok(e instanceof OpenAI.BadRequestError)
        assert.equal(e.code, 'unsupported_field')
        assert.equal(e.param, 'tools[0].type')
        return true
      })
    })
  })
}

describe('errors', { concurrency: true }, () => {
  for (const provider of ['demo-openai', 'demo-anthropic', 'demo-gemini']) {
    test(provider, async () => {
      const fails = (fault, kind) => assert.rejects(client.responses.create({ model: `${provider}/fault-${fault}`, input: 'Hello' }), kind)
      await Promise.all([
        fails('400', OpenAI.BadRequestError),
        fails('401', OpenAI.InternalServerError), // the client's own key was right
        fails('404-model', OpenAI.NotFoundError),
        fails('429', OpenAI.RateLimitError),
        fails('503', OpenAI.InternalServerError),
      ])
      const stream = await client.responses.create({ model: `${provider}/fault-error-midstream`, stream: true, input: 'count to 30' })
      let events = 0
      await assert.rejects(async () => {
        for await (const e of stream) assert.equal(e.sequence_number, events++)
      }, OpenAI.APIError)
      assert.ok(events > 0)
    })
  }
})
