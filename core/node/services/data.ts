import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import {
  type RecordSummary as FormSummary,
  type RecordValue as FormValue,
  MAX_CELLS,
  type NewValue,
  type ShareInfo,
} from '../../ipc/index.ts'
import { previewOf } from '../../vault/records.ts'
import type {
  NewRecordValue,
  RecordSummary,
  RecordValue,
  TableValue,
  TimeSeriesValue,
} from '../../vault/types.ts'
import { account, confirmed, type Handlers, logActivity, type NodeContext } from '../context.ts'
import { healthyNodes, shareOf } from '../share-entry.ts'
import type { Uploads } from '../uploads.ts'
import { exportPath, requireLocal } from './vault.ts'

/** Characters in the part of a long value that one answer carries; cells as in the contract. */
const MAX_CHARS = 1_000_000

/** The items after `from` that fit into one answer, at least one. */
function part<T>(items: readonly T[], from: number, cells: number, chars: (item: T) => number): T[] {
  let [to, length] = [from, 0]
  while (to < items.length && (to === from || (to - from + 1) * cells <= MAX_CELLS)) {
    length += chars(items[to] as T)
    if (to > from && length > MAX_CHARS) break
    to++
  }
  return items.slice(from, to)
}

function rowsFrom(value: TableValue, from: number): string[][] {
  return part(value.rows, from, value.columns.length, (row) =>
    row.reduce((sum, cell) => sum + cell.length, 0),
  )
}

function pointsFrom(value: TimeSeriesValue, from: number): { at: number; value: string }[] {
  return part(value.times, from, 1, () => 1).map((at, i) => ({
    at,
    value: value.values[from + i] as string,
  }))
}

function toForm(value: RecordValue): FormValue {
  switch (value.type) {
    case 'number':
      return { type: 'number', value: value.value, ...(value.unit === undefined ? {} : { unit: value.unit }) }
    case 'text':
      return { type: 'text', value: value.text }
    case 'table':
      return {
        type: 'table',
        columns: value.columns.map((c) => ({ name: c.name, kind: c.type === 'boolean' ? 'text' : c.type })),
        rows: rowsFrom(value, 0),
        total: value.rows.length,
      }
    case 'timeseries':
      return {
        type: 'timeseries',
        ...(value.unit === undefined ? {} : { unit: value.unit }),
        points: pointsFrom(value, 0),
        total: value.times.length,
      }
    case 'file':
      return {
        type: 'file',
        fileName: value.name,
        mediaType: value.mime,
        bytes: value.size,
        digest: toHex(fromHex(value.contentId)),
      }
  }
}

function fromForm(value: NewValue): NewRecordValue {
  switch (value.type) {
    case 'number':
      return {
        type: 'number',
        value: value.value,
        ...(value.unit === undefined ? {} : { unit: value.unit }),
      }
    case 'text':
      return { type: 'text', text: value.value }
    case 'table':
      return {
        type: 'table',
        columns: value.columns.map((c) => ({ name: c.name, type: c.kind })),
        rows: value.rows,
      }
    case 'timeseries':
      return {
        type: 'timeseries',
        times: value.points.map((p) => p.at),
        values: value.points.map((p) => p.value),
        ...(value.unit === undefined ? {} : { unit: value.unit }),
      }
  }
}

function summarise(nodes: ReadonlySet<string>, record: RecordSummary, preview: string): FormSummary {
  const shares = record.shares.map((entry) => shareOf(nodes, record, entry))
  const active = shares.filter((share) => share.state === 'active')
  const weakest = [...active].sort((a, b) => healthy(a) - a.t - (healthy(b) - b.t))[0]
  const rows = record.shape.rows
  return {
    id: record.id,
    title: record.title,
    type: record.type,
    tags: record.tags,
    createdAt: Date.parse(record.created),
    updatedAt: Date.parse(record.updated),
    preview,
    ...(rows === undefined ? {} : { rows }),
    ...(record.shape.bytes === undefined ? {} : { bytes: record.shape.bytes }),
    ...(record.deleted === undefined ? {} : { removedAt: Date.parse(record.deleted) }),
    shared: active.length,
    holdersHealthy: weakest === undefined ? 0 : healthy(weakest),
    holdersTotal: weakest?.n ?? 0,
    threshold: weakest?.t ?? 0,
  }
}

const healthy = (share: ShareInfo) => share.holders.filter((h) => h.healthy).length

export function dataHandlers(context: NodeContext, uploads: Uploads): Handlers {
  const { vault, events } = context
  // The vault writes its own record.* entries into the log.
  const changed = () => {
    events.emit({ type: 'data' })
    events.emit({ type: 'activity' })
  }
  return {
    'data.list': async ({ query, type, tag, removed }) => {
      const found = await vault.list({
        ...(query === undefined ? {} : { query }),
        ...(type === undefined ? {} : { type }),
        ...(tag === undefined ? {} : { tag }),
        ...(removed === undefined ? {} : { trash: removed }),
      })
      const nodes = healthyNodes(context)
      const records: FormSummary[] = []
      for (const record of found) {
        await turn()
        records.push(summarise(nodes, record, record.preview))
      }
      return { records }
    },
    'data.get': async ({ id }) => {
      const record = await vault.get(id)
      const history = await vault.history(id)
      const nodes = healthyNodes(context)
      return {
        record: summarise(nodes, record, previewOf(record.value)),
        value: toForm(record.value),
        history: history.map((h) => ({ version: h.version, at: Date.parse(h.time), preview: h.title })),
        shares: record.shares.map((entry) => shareOf(nodes, record, entry)),
      }
    },
    'data.part': async ({ id, from }) => {
      const { value } = await vault.get(id)
      if (value.type === 'table') return { rows: rowsFrom(value, from) }
      if (value.type === 'timeseries') return { points: pointsFrom(value, from) }
      throw new EnigmaError('INVALID_ARGUMENT', `id: a ${value.type} has no parts`)
    },
    'data.add': async ({ title, tags, value }) => {
      const record = await vault.add({
        title,
        ...(tags === undefined ? {} : { tags }),
        value: fromForm(value),
      })
      changed()
      return { id: record.id }
    },
    'data.update': async ({ id, title, tags, value }) => {
      await vault.update(id, {
        ...(title === undefined ? {} : { title }),
        ...(tags === undefined ? {} : { tags }),
        ...(value === undefined ? {} : { value: fromForm(value) }),
      })
      changed()
      return {}
    },
    'data.remove': async ({ id, purge }) => {
      const record = await vault.summary(id)
      if (purge === true && record.shares.some((s) => s.revoked !== true))
        throw new EnigmaError('INVALID_ARGUMENT', `${record.title} is still shared`, {
          remedy: 'Revoke its shares first; they would otherwise stay with the holders.',
        })
      await (purge === true ? vault.purge(id) : vault.remove(id))
      changed()
      return {}
    },
    'data.undelete': async ({ id }) => {
      await vault.undelete(id)
      changed()
      return {}
    },
    'data.restoreVersion': async ({ id, version }) => {
      await vault.restoreVersion(id, version)
      changed()
      return {}
    },
    'data.upload': async ({ upload, content }) => {
      // Throws while the vault is locked.
      account(context)
      return uploads.add(upload, content)
    },
    'data.previewImport': async ({ format, upload }) => {
      const result = await uploads.use(upload, (content) => vault.previewImport(content, { format }))
      return {
        columns: result.columns.map((c) => ({ name: c.name, kind: c.type === 'boolean' ? 'text' : c.type })),
        rows: result.rowCount,
        sample: result.sample,
        errors: result.errors.map((e) => ({
          row: e.row,
          column: e.column,
          excerpt: e.value,
          problem: e.problem,
          remedy: e.remedy,
        })),
        errorCount: result.errorCount,
      }
    },
    'data.import': async ({ format, upload, title, tags, skipInvalid }) => {
      const commit = {
        title,
        ...(tags === undefined ? {} : { tags }),
        ...(skipInvalid === undefined ? {} : { skipInvalidRows: skipInvalid }),
      }
      const { id, rows, skipped } = await uploads.use(upload, (content) =>
        vault.importTable(content, { format }, commit),
      )
      uploads.discard(upload)
      changed()
      return { id, rows, skipped }
    },
    'data.addFile': async ({ title, fileName, mediaType, tags, upload, path }, call) => {
      if (path !== undefined) requireLocal(call, 'path')
      if ((path === undefined) === (upload === undefined))
        throw new EnigmaError('INVALID_ARGUMENT', 'data.addFile: give an upload or a path')
      const add = (content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) =>
        vault.addFile(
          {
            title,
            name: fileName,
            mime: mediaType ?? 'application/octet-stream',
            ...(tags === undefined ? {} : { tags }),
          },
          content,
        )
      const record = await (upload === undefined
        ? add(createReadStream(path as string) as AsyncIterable<Uint8Array>)
        : uploads.use(upload, add))
      if (upload !== undefined) uploads.discard(upload)
      changed()
      return { id: record.id }
    },
    'data.saveFile': async ({ id, path }, call) => {
      const record = await vault.summary(id)
      if (record.type !== 'file')
        throw new EnigmaError('INVALID_ARGUMENT', `id: ${record.title} is not a file`)
      await confirmed(call, {
        kind: 'export',
        method: 'data.saveFile',
        facts: { what: 'file', title: record.title, ...(path === undefined ? {} : { path }) },
      })
      const safe = (record.shape.name ?? '').replace(/[^\p{L}\p{N}._-]/gu, '_')
      const target = await exportPath(context, call, path, safe.includes('.') ? safe : `${safe}.bin`)
      const file = await open(target, 'wx', 0o600)
      let bytes = 0
      try {
        for await (const chunk of await vault.openFile(id)) {
          await file.write(chunk)
          bytes += chunk.length
        }
      } finally {
        await file.close()
      }
      await logActivity(context, 'record.exported', { record: id })
      return { path: target, bytes }
    },
  }
}
