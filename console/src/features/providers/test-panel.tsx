import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { count, duration, money, nothing } from '~/lib/format'
import { useForbidden, useMay } from '~/lib/queries/auth'
import { testProvider } from '~/lib/queries/providers'
import { requestKeys } from '~/lib/queries/requests'
import { modelsQuery } from '~/lib/queries/status'
import type { Provider, TestResult } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { Button } from '~/ui/button'
import { Field, Textarea } from '~/ui/field'
import { Failure, Notice } from '~/ui/notice'
import { Card, Facts } from '~/ui/page'
import { Suggest } from '~/ui/suggest'

/** Sends a prompt to the provider, past all routing, and shows what came back. */
export function TestPanel({ provider }: { provider: Provider }) {
  const [prompt, setPrompt] = useState('Say hello in one short sentence.')
  const [model, setModel] = useState('')
  const abort = useRef<AbortController>(null)
  const queries = useQueryClient()
  const forbidden = useForbidden('providers:test', 'test providers')
  const test = useMutation({
    mutationFn: () => {
      abort.current = new AbortController()
      return testProvider(provider.id, { prompt, ...(model ? { model } : {}) }, abort.current.signal)
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['providers'] })
      void queries.invalidateQueries({ queryKey: requestKeys })
    },
  })
  const { reset } = test
  // What an older version of the provider answered says nothing of this one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version is what it waits for.
  useEffect(() => {
    abort.current?.abort()
    reset()
  }, [provider.version, reset])
  return (
    <Card title="Test">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate()
        }}
      >
        <ModelInput provider={provider} value={model} onChange={setModel} />
        <Field label="Prompt">
          {(control) => (
            <Textarea
              {...control}
              rows={2}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
            />
          )}
        </Field>
        <div className="flex flex-wrap items-center gap-2">
          <Button type="submit" look="primary" busy={test.isPending} disabledReason={forbidden}>
            {test.isPending ? 'Waiting for the answer' : 'Send test'}
          </Button>
          {test.isPending && <Button onClick={() => abort.current?.abort()}>Stop</Button>}
          <span className="text-sm text-ink-3">It is a real call and may cost a little.</span>
        </div>
      </form>
      <div aria-live="polite" className="mt-5 empty:hidden">
        {test.isError && !isAbort(test.error) && <Failure error={test.error} />}
        {test.data && !test.isPending && <Result result={test.data} />}
      </div>
    </Card>
  )
}

function ModelInput({
  provider,
  value,
  onChange,
}: {
  provider: Provider
  value: string
  onChange: (model: string) => void
}) {
  const { data } = useQuery({ ...modelsQuery, enabled: useMay('models:read') })
  const prefix = `${provider.name}/`
  const models = (data?.data ?? [])
    .filter((model) => model.id.startsWith(prefix))
    .map((model) => model.id.slice(prefix.length))
  return (
    <Field
      label="Model"
      optional
      help="As the provider knows it. Empty: Point picks a chat model that it has."
    >
      {(control) => (
        <Suggest
          control={control}
          value={value}
          onChange={onChange}
          items={models}
          none="Point knows no such model, but will ask for it."
        />
      )}
    </Field>
  )
}

function Result({ result }: { result: TestResult }) {
  return (
    <div className="space-y-4">
      {result.ok ? (
        <Notice tone="ok" title="It answers">
          <p className="whitespace-pre-wrap text-ink">{result.text || 'The answer was empty.'}</p>
        </Notice>
      ) : (
        <Notice tone="bad" title={result.error?.code ?? 'It failed'}>
          {result.error?.message}
        </Notice>
      )}
      <Facts
        items={[
          ['Model', result.model || nothing],
          ['Status', result.status || 'No answer'],
          ['Latency', duration(result.latency_ms)],
          ['First content', duration(result.ttft_ms)],
          [
            'Tokens',
            result.usage ? `${count(result.usage.input)} in, ${count(result.usage.output)} out` : nothing,
          ],
          ['Cost', result.ok && result.cost === null ? 'Unknown' : money(result.cost)],
        ]}
      />
      <ol aria-label="Route" className="space-y-1.5 text-sm">
        {result.attempts.map((attempt, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: attempts have no id and never move.
          <li key={index} className="flex flex-wrap items-center gap-x-2">
            <Badge tone={attempt.error ? 'bad' : 'ok'}>
              {attempt.error ? attempt.error : attempt.status || 'ok'}
            </Badge>
            <span>
              {attempt.provider} / {attempt.model}
            </span>
            <span className="num text-ink-3">{duration(attempt.duration_ms)}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
