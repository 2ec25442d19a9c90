import { Fragment, type ReactNode } from 'react'
import { cn } from '../lib/cn.ts'

export type KeyValueRow = readonly [label: ReactNode, value: ReactNode] | false | undefined

/** Facts about one thing. False or undefined rows are left out. */
export function KeyValue({ rows, className }: { rows: readonly KeyValueRow[]; className?: string }) {
  return (
    <dl
      className={cn(
        'grid grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm max-[30rem]:grid-cols-1 max-[30rem]:gap-y-0.5',
        className,
      )}
    >
      {rows.map((row, index) =>
        row === false || row === undefined ? null : (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows keep their order
          <Fragment key={index}>
            <dt className="text-muted max-[30rem]:mt-2">{row[0]}</dt>
            <dd className="min-w-0 break-words">{row[1]}</dd>
          </Fragment>
        ),
      )}
    </dl>
  )
}
