import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { cn } from '../lib/cn.ts'

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() })

export interface TableColumn<Row> {
  id: string
  header: string
  cell: (row: Row) => ReactNode
  /** Makes the column sortable by this key. */
  sort?: (row: Row) => string | number | bigint
  align?: 'start' | 'end'
  /** Column width, e.g. "w-40"; the rest share what is left. */
  className?: string
  /** The header is for assistive technology only (actions, icons). */
  hideHeader?: boolean
}

/** Rows beyond this number are drawn only while they are in sight. */
const VIRTUAL_FROM = 100
const ROW_HEIGHT = 36

function compare(a: string | number | bigint, b: string | number | bigint): number {
  if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b, undefined, { numeric: true })
  return a < b ? -1 : a > b ? 1 : 0
}

/** A table with sortable columns, which stays quick at 100,000 rows. `label` names it. */
export function Table<Row>({
  label,
  columns,
  rows,
  rowKey,
  onRowClick,
  empty,
  maxHeight = 480,
  className,
}: {
  label: string
  columns: readonly TableColumn<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row, index: number) => string
  /** A pointer shortcut only: give each row a link or button that does the same. */
  onRowClick?: (row: Row) => void
  /** Shown in place of the body when there are no rows. */
  empty?: ReactNode
  /** Pixels after which the body scrolls. */
  maxHeight?: number
  className?: string
}) {
  const scroller = useRef<HTMLDivElement>(null)
  const [sorting, setSorting] = useState<SortingState>([])
  const data = useMemo(() => rows.map((row, index) => ({ row, key: rowKey(row, index) })), [rows, rowKey])
  type Item = (typeof data)[number]
  const defs = useMemo<ColumnDef<typeof features, Item>[]>(
    () =>
      columns.map((column) => ({
        id: column.id,
        accessorFn: (item: Item) => column.sort?.(item.row) ?? '',
        enableSorting: column.sort !== undefined,
        sortFn: (a: { original: Item }, b: { original: Item }) =>
          compare(column.sort?.(a.original.row) ?? '', column.sort?.(b.original.row) ?? ''),
      })),
    [columns],
  )
  const table = useTable({
    features,
    columns: defs,
    data,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: (item: Item) => item.key,
  })
  const sorted = table.getRowModel().rows
  const virtual = sorted.length > VIRTUAL_FROM
  const virtualizer = useVirtualizer({
    count: virtual ? sorted.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  })
  const items = virtualizer.getVirtualItems()
  const visible = virtual ? items.map((item) => sorted[item.index]!) : sorted
  const before = virtual ? (items[0]?.start ?? 0) : 0
  const after = virtual ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0
  const spacer = (height: number, key: string) =>
    height > 0 && (
      <tr key={key} aria-hidden>
        <td colSpan={columns.length} style={{ height, padding: 0 }} />
      </tr>
    )
  return (
    <section
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className={cn(
        'relative overflow-auto rounded-lg border border-line bg-surface -outline-offset-2',
        className,
      )}
      style={{ maxHeight }}
    >
      <table aria-rowcount={sorted.length + 1} className="w-full border-separate border-spacing-0 text-sm">
        <thead>
          <tr>
            {columns.map((column) => {
              const order =
                sorting[0]?.id === column.id ? (sorting[0].desc ? 'descending' : 'ascending') : 'none'
              const Arrow =
                order === 'ascending' ? ArrowUp : order === 'descending' ? ArrowDown : ChevronsUpDown
              return (
                <th
                  key={column.id}
                  scope="col"
                  aria-sort={column.sort === undefined ? undefined : order}
                  className={cn(
                    'sticky top-0 z-1 h-8 border-b border-line bg-sunken px-3 text-xs font-medium whitespace-nowrap text-muted',
                    column.align === 'end' ? 'text-end' : 'text-start',
                    column.className,
                  )}
                >
                  {column.sort === undefined ? (
                    <span className={column.hideHeader ? 'sr-only' : ''}>{column.header}</span>
                  ) : (
                    <button
                      type="button"
                      className="-mx-1 inline-flex min-h-6 items-center gap-1 rounded-sm px-1 hover:text-text"
                      onClick={() => table.getColumn(column.id)?.toggleSorting()}
                    >
                      {column.header}
                      <Arrow aria-hidden className={cn('size-3', order === 'none' && 'opacity-60')} />
                    </button>
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {spacer(before, 'before')}
          {visible.map((row) => (
            <tr
              key={row.id}
              onClick={onRowClick === undefined ? undefined : () => onRowClick(row.original.row)}
              className={cn(onRowClick !== undefined && 'cursor-pointer hover:bg-hover')}
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  className={cn(
                    'h-9 border-b border-line px-3 py-1.5 align-middle',
                    column.align === 'end' ? 'text-end' : 'text-start',
                  )}
                >
                  {column.cell(row.original.row)}
                </td>
              ))}
            </tr>
          ))}
          {spacer(after, 'after')}
          {sorted.length === 0 && empty !== undefined && (
            <tr>
              <td colSpan={columns.length}>{empty}</td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}
