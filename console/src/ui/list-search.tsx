import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { count } from '~/lib/format'
import { listSearch } from '~/lib/search'
import { SearchField } from './search-field'

/** Fewer than these are seen at a glance, and need no search. */
const few = 10

/** How a list is narrowed and sorted, from the page's URL, and the ways to change it; they leave no trail of steps back. */
export function useListSearch() {
  const { q, sort } = listSearch(useSearch({ strict: false }))
  const navigate = useNavigate()
  const change = useMemo(() => {
    const set = (part: { q?: string | undefined; sort?: string | undefined }) =>
      void navigate({ to: '.', search: (now) => ({ ...now, ...part }), replace: true })
    return {
      setQuery: (q: string | undefined) => set({ q }),
      setSort: (sort: string | undefined) => set({ sort }),
    }
  }, [navigate])
  return { q, sort, ...change }
}

/** What of a list holds the words that are searched for; words gives all that can be found of one. */
export function narrow<T>(all: T[], q: string | undefined, words: (one: T) => (string | null)[]): T[] {
  const text = q?.toLowerCase()
  return text ? all.filter((one) => words(one).some((word) => word?.toLowerCase().includes(text))) : all
}

/** The search of a list that is long, or was narrowed by its URL. */
export function ListSearch({
  q,
  placeholder,
  found,
  all,
  total,
  noun,
  onChange,
}: {
  q: string | undefined
  placeholder: string
  found: number
  all: number
  /** How many there are on the server, which hands over 500 at most; null is more than 10,000. */
  total: number | null
  /** What is listed, in the plural. */
  noun: string
  onChange: (q: string | undefined) => void
}) {
  if (all <= few && !q) return null
  const cut = total !== all
  const whole = total === null ? 'more than 10,000' : count(total)
  return (
    <search className="mb-5 flex flex-wrap items-end justify-between gap-x-5 gap-y-2">
      <SearchField
        label="Search"
        className="w-full sm:max-w-xs"
        placeholder={placeholder}
        value={q}
        onChange={onChange}
      />
      <p aria-live="polite" className="num text-sm text-ink-3">
        {q
          ? `${count(found)} of ${count(all)} ${noun}${cut ? `; there are ${whole}` : ''}`
          : `${cut ? `Showing ${count(all)} of ${whole}` : count(all)} ${noun}`}
      </p>
    </search>
  )
}
