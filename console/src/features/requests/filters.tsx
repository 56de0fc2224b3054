import { useQuery } from '@tanstack/react-query'
import { CalendarRange } from 'lucide-react'
import { useCallback } from 'react'
import { count } from '~/lib/format'
import { needs } from '~/lib/may'
import { useMay } from '~/lib/queries/auth'
import { endpointsQuery } from '~/lib/queries/endpoints'
import { keysQuery } from '~/lib/queries/keys'
import { providersQuery } from '~/lib/queries/providers'
import { outcomes, type RequestFilter } from '~/lib/queries/requests'
import { Button } from '~/ui/button'
import { Field, Input, Select } from '~/ui/field'
import { outcomeWords } from '~/ui/request-words'
import { SearchField } from '~/ui/search-field'

const statuses = [
  ['2xx', '2xx, answered'],
  ['4xx', '4xx, caller'],
  ['5xx', '5xx, failed'],
  ['401', '401, no valid key'],
  ['404', '404, not found'],
  ['429', '429, limited'],
  ['499', '499, client left'],
  ['502', '502, bad answer'],
  ['503', '503, unavailable'],
  ['504', '504, too slow'],
] as const

interface Props {
  filter: RequestFilter
  onChange: (change: Partial<RequestFilter>) => void
  onClear: () => void
}

/** What the list of requests is narrowed to. Every change goes to the URL. */
export function Filters({ filter, onChange, onClear }: Props) {
  const [mayProviders, mayEndpoints] = [useMay(...needs.providers), useMay(...needs.endpoints)]
  const mayKeys = useMay(...needs.keys)
  const providers = useQuery({ ...providersQuery, enabled: mayProviders }).data
  const endpoints = useQuery({ ...endpointsQuery, enabled: mayEndpoints }).data?.data ?? []
  const keys = useQuery({ ...keysQuery, enabled: mayKeys }).data
  const changeModel = useCallback((model?: string) => onChange({ model }), [onChange])
  const active = Object.entries(filter).some(([name, value]) => name !== 'cursor' && value !== undefined)
  return (
    <search className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-6">
      {(mayProviders || filter.provider) && (
        <Choice
          label="Provider"
          value={filter.provider}
          options={(providers?.data ?? []).map(({ name }) => [name, name])}
          total={providers?.total}
          onChange={(provider) => onChange({ provider })}
        />
      )}
      {(mayEndpoints || filter.endpoint) && (
        <Choice
          label="Endpoint"
          value={filter.endpoint}
          options={endpoints.map(({ path }) => [path, path])}
          onChange={(endpoint) => onChange({ endpoint })}
        />
      )}
      {(mayKeys || filter.key) && (
        <Choice
          label="Key"
          value={filter.key}
          options={(keys?.data ?? []).map(({ id, name }) => [id, name])}
          total={keys?.total}
          onChange={(key) => onChange({ key })}
        />
      )}
      <Choice
        label="Status"
        value={filter.status}
        options={statuses}
        onChange={(status) => onChange({ status })}
      />
      <Choice
        label="Outcome"
        value={filter.outcome}
        options={outcomes.map((outcome) => [outcome, outcomeWords[outcome]])}
        onChange={(chosen) => onChange({ outcome: outcomes.find((outcome) => outcome === chosen) })}
      />
      <SearchField label="Model" placeholder="As asked" value={filter.model} onChange={changeModel} />
      <div className="col-span-full flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <details open={Boolean(filter.from || filter.to) || undefined}>
          <summary className="inline-flex h-8 items-center gap-1.5 rounded-sm text-sm text-ink-2 hover:text-ink">
            <CalendarRange aria-hidden className="size-4" /> Time range
          </summary>
          <div className="mt-2 grid max-w-xl gap-3 sm:grid-cols-2">
            <MomentField label="From" value={filter.from} onChange={(from) => onChange({ from })} />
            <MomentField label="Before" value={filter.to} onChange={(to) => onChange({ to })} />
          </div>
        </details>
        {active && (
          <Button look="quiet" size="sm" onClick={onClear}>
            Clear filters
          </Button>
        )}
      </div>
    </search>
  )
}

/** One of a few values, or all. A value of the URL that is none of them, or is gone by now, stands among them. */
function Choice({
  label,
  value,
  options,
  total = options.length,
  onChange,
}: {
  label: string
  value: string | undefined
  options: readonly (readonly [value: string, words: string])[]
  /** How many there are, if the server handed over only the first of them; null is more than 10,000. */
  total?: number | null | undefined
  onChange: (value: string | undefined) => void
}) {
  const strange = value !== undefined && !options.some(([known]) => known === value)
  return (
    <Field label={label}>
      {(control) => (
        <Select
          {...control}
          value={value ?? ''}
          onChange={(event) => onChange(event.target.value || undefined)}
        >
          <option value="">All</option>
          {strange && <option value={value}>{value}</option>}
          {options.map(([known, words]) => (
            <option key={known} value={known}>
              {words}
            </option>
          ))}
          {total !== options.length && (
            <option disabled>
              Showing {count(options.length)} of {total === null ? 'more than 10,000' : count(total)}
            </option>
          )}
        </Select>
      )}
    </Field>
  )
}

function MomentField({
  label,
  value,
  onChange,
}: {
  label: string
  value: string | undefined
  onChange: (iso: string | undefined) => void
}) {
  return (
    <Field label={label}>
      {(control) => (
        <Input
          {...control}
          type="datetime-local"
          value={value ? toLocal(value) : ''}
          onChange={(event) =>
            onChange(event.target.value ? new Date(event.target.value).toISOString() : undefined)
          }
        />
      )}
    </Field>
  )
}

/** RFC 3339 in the form that datetime-local takes: local time without a zone. */
function toLocal(iso: string): string {
  const date = new Date(iso)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
