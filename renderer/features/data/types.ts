import { ChartLine, File, FileText, Hash, type LucideIcon, Table2 } from 'lucide-react'
import type { RecordSummary } from '../../../core/ipc/index.ts'

export type RecordType = RecordSummary['type']
export const TYPES: readonly RecordType[] = ['number', 'text', 'table', 'timeseries', 'file']

export const typeIcons: Record<RecordType, LucideIcon> = {
  number: Hash,
  text: FileText,
  table: Table2,
  timeseries: ChartLine,
  file: File,
}

/** Only numbers can be split into shares. */
export const canShare = (type: RecordType): boolean =>
  type === 'number' || type === 'table' || type === 'timeseries'

/** Holders as the ring draws them, from the counts that a summary has. */
export function ringOf(record: Pick<RecordSummary, 'holdersHealthy' | 'holdersTotal'>) {
  return Array.from({ length: record.holdersTotal }, (_, i) => ({
    index: i + 1,
    healthy: i < record.holdersHealthy,
  }))
}

/** "a, b; c" as tags, without empty ones and repetitions. */
export function parseTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[,;，；、]/)
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ''),
    ),
  ].slice(0, 50)
}
