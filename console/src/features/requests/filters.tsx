import { useQuery } from '@tanstack/react-query'
import { CalendarRange } from 'lucide-react'
import { useCallback } from 'react'
import { endpointsQuery } from '~/lib/queries/endpoints'
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
  const providers = useQuery(providersQuery).data?.data ?? []
  const endpoints = useQuery(endpointsQuery).data?.data ?? []
  const changeModel = useCallback((model?: string) => onChange({ model }), [onChange])
  const active = Object.entries(filter).some(([name, value]) => name !== 'cursor' && value !== undefined)
  return (
    <search className="grid grid-cols-2 gap-3 sm:grid-cols-4 lg:grid-cols-[repeat(4,1fr)_1.3fr]">
      <Field label="Provider">
        {(control) => (
          <Select
            {...control}
            value={filter.provider ?? ''}
            onChange={(event) => onChange({ provider: event.target.value || undefined })}
          >
            <option value="">All</option>
            {withCurrent(
              providers.map((provider) => provider.name),
              filter.provider,
            ).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Endpoint">
        {(control) => (
          <Select
            {...control}
            value={filter.endpoint ?? ''}
            onChange={(event) => onChange({ endpoint: event.target.value || undefined })}
          >
            <option value="">All</option>
            {withCurrent(
              endpoints.map((endpoint) => endpoint.path),
              filter.endpoint,
            ).map((path) => (
              <option key={path}>{path}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Status">
        {(control) => (
          <Select
            {...control}
            value={filter.status ?? ''}
            onChange={(event) => onChange({ status: event.target.value || undefined })}
          >
            <option value="">All</option>
            {filter.status && !statuses.some(([value]) => value === filter.status) && (
              <option>{filter.status}</option>
            )}
            {statuses.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Outcome">
        {(control) => (
          <Select
            {...control}
            value={filter.outcome ?? ''}
            onChange={(event) =>
              onChange({ outcome: outcomes.find((outcome) => outcome === event.target.value) })
            }
          >
            <option value="">All</option>
            {outcomes.map((outcome) => (
              <option key={outcome} value={outcome}>
                {outcomeWords[outcome]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <SearchField
        label="Model"
        className="max-lg:col-span-full"
        placeholder="As asked"
        value={filter.model}
        onChange={changeModel}
      />
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

/** The choices with the current one among them, though it may be gone by now. */
function withCurrent(names: string[], current: string | undefined): string[] {
  return current && !names.includes(current) ? [current, ...names] : names
}
