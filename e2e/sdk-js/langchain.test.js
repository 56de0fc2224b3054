// LangChain's OpenAI classes, over chat and over responses.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { z } from 'zod'
import { key, start } from './point.js'

let point
let common

before(async () => {
  point = await start()
  common = { apiKey: key, maxRetries: 0, configuration: { baseURL: `${point.url}/v1` } }
})
after(() => point?.stop())

const tools = ['weather', 'time'].map((what) =>
  tool(({ city }) => `${what} of ${city}: 18`, {
    name: `get_${what}`,
    description: `The ${what} in a city`,
    schema: z.object({ city: z.string() }),
  }),
)

for (const useResponsesApi of [false, true]) {
  describe(useResponsesApi ? 'responses' : 'chat', { concurrency: true }, () => {
    for (const model of ['gpt-4o-mini', 'demo-anthropic/claude-sonnet-4-5', 'demo-gemini/gemini-2.5-flash']) {
      describe(model, { concurrency: true }, () => {
        const chat = (more) => new ChatOpenAI({ ...common, model, useResponsesApi, ...more })

        test('text', async () => {
          const reply = await chat().invoke([new SystemMessage('Be brief.'), new HumanMessage('say seven swans')])
          assert.equal(reply.text, 'seven swans')
          const { input_tokens, output_tokens, total_tokens } = reply.usage_metadata
          assert.ok(input_tokens > 0 && output_tokens > 0)
          assert.equal(total_tokens, input_tokens + output_tokens)
        })

        test('stream', async () => {
          let all
          let chunks = 0
          for await (const chunk of await chat().stream('count to 20')) {
            all = all ? all.concat(chunk) : chunk
            chunks++
          }
          assert.match(all.text, /^1, 2, 3,.*19, 20$/)
          assert.ok(chunks > 3, `${chunks} chunks`)
          assert.ok(all.usage_metadata.output_tokens > 10)
          assert.equal(all.usage_metadata.total_tokens, all.usage_metadata.input_tokens + all.usage_metadata.output_tokens)
        })

        const whole = (model, messages) => model.invoke(messages)
        // The class's own "streaming" counts tokens by a table that it loads from the network.
        const streamed = async (model, messages) => {
          let all
          for await (const chunk of await model.stream(messages)) all = all ? all.concat(chunk) : chunk
          return all
        }
        for (const ask of [whole, streamed]) {
          test(`tool loop with parallel calls, ${ask.name}`, async () => {
            const able = chat().bindTools(tools)
            const messages = [new HumanMessage('Use get_weather and get_time for Paris.')]
            const first = await ask(able, messages)
            assert.deepEqual(first.tool_calls.map((c) => c.name).sort(), ['get_time', 'get_weather'])
            assert.equal(new Set(first.tool_calls.map((c) => c.id)).size, 2)
            messages.push(first)
            for (const call of first.tool_calls) {
              const result = await tools.find((t) => t.name === call.name).invoke(call)
              assert.ok(result instanceof ToolMessage)
              messages.push(result)
            }
            const last = await ask(able, messages)
            assert.match(last.text, /18/)
            assert.equal(last.tool_calls.length, 0)
          })
        }

        test('structured output', async () => {
          const schema = z.object({ city: z.string(), population: z.number().int() })
          for (const method of ['jsonSchema', 'functionCalling']) {
            const { parsed, raw } = await chat().withStructuredOutput(schema, { method, includeRaw: true, strict: true }).invoke('Name a city.')
            assert.equal(typeof parsed?.city, 'string', method)
            assert.ok(Number.isInteger(parsed.population), method)
            assert.ok(raw.usage_metadata.total_tokens > 0)
          }
        })

        test('abort in mid-stream', async () => {
          const leave = new AbortController()
          let chunks = 0
          await assert.rejects(async () => {
            for await (const _ of await chat().stream('count to 9999', { signal: leave.signal })) {
              if (++chunks === 5) leave.abort()
            }
          }, /abort/i)
          assert.ok(chunks < 500, `${chunks} chunks after the abort`)
        })
      })
    }

    for (const provider of ['demo-openai', 'demo-anthropic', 'demo-gemini']) {
      test(`errors of ${provider}`, async () => {
        const fails = (model, status, more) =>
          assert.rejects(new ChatOpenAI({ ...common, useResponsesApi, model, ...more }).invoke('Hello'), (e) => {
            assert.equal(e.status, status, e.message)
            return true
          })
        await Promise.all([
          fails(`${provider}/fault-400`, 400),
          fails(`${provider}/fault-429`, 429),
          fails(`${provider}/fault-500`, 500),
          fails('no-such-model', 404),
          fails('gpt-4o-mini', 401, { apiKey: 'sk-wrong' }),
        ])
        let chunks = 0
        await assert.rejects(async () => {
          const broken = new ChatOpenAI({ ...common, useResponsesApi, model: `${provider}/fault-error-midstream` })
          for await (const _ of await broken.stream('count to 30')) chunks++
        })
        assert.ok(chunks > 0)
      })
    }
  })
}

test('embeddings', async () => {
  for (const model of ['text-embedding-3-small', 'demo-gemini/gemini-embedding-001']) {
    const vectors = await new OpenAIEmbeddings({ ...common, model }).embedDocuments(['one', 'two'])
    assert.equal(vectors.length, 2)
    assert.ok(vectors[0].length > 100)
    const plain = await new OpenAIEmbeddings({ ...common, model, encodingFormat: 'float' }).embedQuery('two')
    for (const [i, x] of plain.entries()) assert.ok(Math.abs(x - vectors[1][i]) < 1e-6)
  }
})

test('completions', async () => {
  const model = new OpenAI({ ...common, model: 'demo-openai/gpt-4o-mini' })
  assert.match(await model.invoke('say seven swans'), /seven swans/)
  let text = ''
  for await (const chunk of await model.stream('say seven swans')) text += chunk
  assert.match(text, /seven swans/)
})
