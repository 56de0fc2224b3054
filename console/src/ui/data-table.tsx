import {
  type ColumnDef,
  createSortedRowModel,
  type RowData,
  rowSortingFeature,
  type SortingState,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import { cx } from '~/lib/cx'

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
})

/** A column of a DataTable. */
export interface Column<T extends RowData> {
  id: string
  header: string
  cell: (row: T) => ReactNode
  /** What to sort by; a column without it does not sort. */
  sort?: (row: T) => string | number
  /** Numbers stand at the right. */
  numeric?: boolean
  /** Left out where the table is narrow, up to middling, or less than wide: 28, 42 and 56 rem. */
  not?: 'narrow' | 'middle' | 'wide'
  /** It takes the room that the others leave, and its text is cut to that. */
  grow?: boolean
  /** The header is for readers alone: actions. */
  quiet?: boolean
}

const visibility = { narrow: '@max-md:hidden', middle: '@max-2xl:hidden', wide: '@max-4xl:hidden' }

/** Class of what stands in for columns that a narrow table leaves out. */
export const onlyNarrow = '@md:hidden'

interface DataTableProps<T extends RowData> {
  /** What the table lists, for readers. */
  label: string
  columns: Column<T>[]
  data: T[]
  rowKey: (row: T) => string
  /** The column that it is sorted by, "-name" for downwards. It belongs into the page's URL. */
  sort?: string | undefined
  onSort?: (sort: string | undefined) => void
}

/**
 * A table that sorts what it is given, if it is told how. A row becomes a link as a whole if
 * one of its cells holds a RowLink.
 */
export function DataTable<T extends RowData>({
  label,
  columns,
  data,
  rowKey,
  sort,
  onSort,
}: DataTableProps<T>) {
  const sorting = toSorting(sort, columns)
  const defs = useMemo(() => columns.map((column) => toDef(column)), [columns])
  const table = useTable({
    features,
    data,
    columns: defs,
    getRowId: rowKey,
    state: { sorting },
    onSortingChange: (next) => onSort?.(fromSorting(typeof next === 'function' ? next(sorting) : next)),
  })
  const byId = new Map(columns.map((column) => [column.id, column]))
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
      tabIndex={0}
      className="@container overflow-x-auto rounded-lg"
    >
      <table className="w-full text-left">
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b border-line">
              {group.headers.map((header) => {
                const column = byId.get(header.column.id)
                const sorted = header.column.getIsSorted()
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={sorted ? (sorted === 'asc' ? 'ascending' : 'descending') : undefined}
                    className={cx(cellClass(column), 'h-10 text-sm font-[550] whitespace-nowrap text-ink-3')}
                  >
                    {column?.quiet ? (
                      <span className="sr-only">{column.header}</span>
                    ) : header.column.getCanSort() ? (
                      <button
                        type="button"
                        onClick={header.column.getToggleSortingHandler()}
                        className="inline-flex items-center gap-1 rounded-sm hover:text-ink [&_svg]:size-3.5"
                      >
                        {column?.header}
                        {sorted === 'asc' && <ArrowUp aria-hidden />}
                        {sorted === 'desc' && <ArrowDown aria-hidden />}
                      </button>
                    ) : (
                      column?.header
                    )}
                  </th>
                )
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} className="relative border-b border-line last:border-b-0 hover:bg-hover/60">
              {row.getAllCells().map((cell) => {
                const column = byId.get(cell.column.id)
                return (
                  <td key={cell.id} className={cx(cellClass(column), 'h-12 py-2')}>
                    {column?.cell(row.original)}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function toSorting<T extends RowData>(sort: string | undefined, columns: Column<T>[]): SortingState {
  const id = sort?.replace(/^-/, '')
  const known = columns.some((column) => column.id === id && column.sort)
  return id && known ? [{ id, desc: sort !== id }] : []
}

function fromSorting([first]: SortingState): string | undefined {
  return first && `${first.desc ? '-' : ''}${first.id}`
}

function toDef<T extends RowData>(column: Column<T>): ColumnDef<typeof features, T> {
  const { sort } = column
  if (!sort) return { id: column.id, header: column.header, enableSorting: false }
  return {
    id: column.id,
    header: column.header,
    accessorFn: sort,
    sortFn: column.numeric ? 'basic' : 'alphanumeric',
    sortDescFirst: Boolean(column.numeric),
  }
}

function cellClass<T extends RowData>(column: Column<T> | undefined): string {
  return cx(
    'px-3 first:pl-4 last:pr-4 sm:first:pl-5 sm:last:pr-5',
    column?.numeric && 'num text-right whitespace-nowrap',
    column?.grow && 'w-full max-w-0',
    column?.not && visibility[column.not],
  )
}
