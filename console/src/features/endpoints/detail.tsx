import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { paths } from '~/lib/paths'
import { asProblem, type Problem, type ProblemField } from '~/lib/problem'
import { useForbidden } from '~/lib/queries/auth'
import { endpointKeys, endpointQuery, updateEndpoint } from '~/lib/queries/endpoints'
import type { Endpoint } from '~/lib/schema'
import { State } from '~/ui/badge'
import { Button } from '~/ui/button'
import { Field, Textarea } from '~/ui/field'
import { LeaveGuard } from '~/ui/leave-guard'
import { BackLink } from '~/ui/list-link'
import { Notice } from '~/ui/notice'
import { Card, Page } from '~/ui/page'
import { toast, toastFailure } from '~/ui/toast'
import { mappingText, parseMapping } from './mapping'

const route = getRouteApi('/shell/endpoints/$id')

export function EndpointPage() {
  const { id } = route.useParams()
  const { data } = useSuspenseQuery(endpointQuery(id))
  const endpoint = data.value
  return (
    <Page
      title={endpoint.path}
      above={<BackLink link={paths.endpoints()}>Endpoints</BackLink>}
      aside={
        <State tone={endpoint.active ? 'ok' : 'plain'}>{endpoint.active ? 'Active' : 'Switched off'}</State>
      }
      lead={
        endpoint.own_mapping
          ? 'It has a mapping of its own.'
          : 'It uses the default mapping. Saving here gives it one of its own.'
      }
    >
      <MappingEditor key={endpoint.id} endpoint={endpoint} etag={data.etag} />
    </Page>
  )
}

/** The mapping as JSON: what is broken is told while it is typed, what is wrong by the server. */
function MappingEditor({ endpoint, etag }: { endpoint: Endpoint; etag: string }) {
  const saved = mappingText(endpoint.mapping)
  // What was typed, and the version that it began with: a newer one never takes its place.
  const [draft, setDraft] = useState<{ text: string; etag: string }>()
  const text = draft?.text ?? saved
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const queries = useQueryClient()
  const forbidden = useForbidden('endpoints:write', 'change endpoints')
  const locked =
    endpoint.managed_by === 'file' ? 'It is declared in the configuration file. Change it there.' : forbidden
  const { value, error } = parseMapping(text)

  async function save(mapping: NonNullable<typeof value> | null, said: string) {
    setBusy(true)
    setProblem(undefined)
    try {
      const next = await updateEndpoint(endpoint.id, draft?.etag ?? etag, { mapping })
      setDraft(undefined)
      await queries.invalidateQueries({ queryKey: [...endpointKeys, 'list'] })
      toast(said, 'It applies to the next request.')
      queries.setQueryData(endpointQuery(endpoint.id).queryKey, next)
    } catch (failure) {
      const found = asProblem(failure)
      if (found.stale) {
        toastFailure('Changed by somebody else', failure)
        const now = await queries.fetchQuery({ ...endpointQuery(endpoint.id), staleTime: 0 })
        setDraft((old) => old && { ...old, etag: now.etag })
      }
      setProblem(found)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Card title="Mapping">
      <LeaveGuard dirty={text !== saved} what="this mapping" />
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (value) void save(value, 'Mapping saved')
        }}
      >
        <Field
          label="Mapping as JSON"
          error={error}
          help="The first rule whose when matches sends the request to its targets, in the order of its strategy, then to its fallbacks."
        >
          {(control) => (
            <Textarea
              {...control}
              value={text}
              spellCheck={false}
              readOnly={Boolean(locked)}
              rows={Math.min(Math.max(text.split('\n').length, 16), 36)}
              className="font-mono text-sm"
              onChange={(event) => {
                setDraft({ text: event.target.value, etag: draft?.etag ?? etag })
                setProblem(undefined)
              }}
            />
          )}
        </Field>
        {problem && (
          <Notice tone="bad" title={problem.message}>
            {problem.stale
              ? 'Your text is kept. Saving it again replaces theirs; discarding it shows theirs.'
              : null}
            <Faults fields={problem.fields} />
          </Notice>
        )}
        <div className="flex flex-wrap gap-2">
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabledReason={locked ?? error ?? (text === saved && 'Nothing was changed.')}
          >
            Save mapping
          </Button>
          <Button
            disabledReason={locked ?? (!endpoint.own_mapping && 'It uses the default mapping already.')}
            onClick={() => void save(null, 'The default mapping applies')}
          >
            Use the default mapping
          </Button>
          {text !== saved && (
            <Button look="quiet" onClick={() => setDraft(undefined)}>
              Discard changes
            </Button>
          )}
        </div>
      </form>
    </Card>
  )
}

function Faults({ fields }: { fields: ProblemField[] }) {
  if (fields.length === 0) return null
  return (
    <ul className="mt-1 space-y-1">
      {fields.map(({ location, message }) => (
        <li key={`${location} ${message}`}>
          <code className="font-mono text-sm text-ink">{location.replace(/^body\.(mapping\.)?/, '')}</code>:{' '}
          {message}
        </li>
      ))}
    </ul>
  )
}
