import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import type { RecordSummary as FormSummary, RecordValue as FormValue, ShareInfo } from '../../ipc/index.ts'
import type { NewRecordValue, RecordSummary, RecordValue, VaultRecord } from '../../vault/types.ts'
import { confirmed, type Handlers, logActivity, type NodeContext } from '../context.ts'
import { shareOf } from '../share-entry.ts'
import { exportPath, requireLocal } from './vault.ts'

const PREVIEW = 80

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
        rows: value.rows,
      }
    case 'timeseries':
      return {
        type: 'timeseries',
        ...(value.unit === undefined ? {} : { unit: value.unit }),
        points: value.times.map((at, i) => ({ at, value: value.values[i] as string })),
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

function fromForm(value: FormValue): NewRecordValue {
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
    case 'file':
      throw new EnigmaError('INVALID_ARGUMENT', 'value: a file is added with data.addFile')
  }
}

function preview(value: RecordValue): string {
  switch (value.type) {
    case 'number':
      return value.unit === undefined ? value.value : `${value.value} ${value.unit}`
    case 'text':
      return value.text.slice(0, PREVIEW)
    case 'table':
      return value.columns
        .map((c) => c.name)
        .join(', ')
        .slice(0, PREVIEW)
    case 'timeseries':
      return value.values.slice(-3).join(', ')
    case 'file':
      return value.name
  }
}

function summarise(context: NodeContext, record: RecordSummary, value: RecordValue): FormSummary {
  const shares = record.shares.map((entry) => shareOf(context, record, entry))
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
    preview: preview(value),
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

export function dataHandlers(context: NodeContext): Handlers {
  const { vault, events } = context
  // The vault writes its own record.* entries into the log.
  const changed = () => {
    events.emit({ type: 'data' })
    events.emit({ type: 'activity' })
  }
  const summary = (record: VaultRecord) => summarise(context, record, record.value)

  return {
    'data.list': async ({ query, type, tag, removed }) => {
      const found = await vault.list({
        ...(query === undefined ? {} : { query }),
        ...(type === undefined ? {} : { type }),
        ...(tag === undefined ? {} : { tag }),
        ...(removed === undefined ? {} : { trash: removed }),
      })
      return { records: await Promise.all(found.map(async (r) => summary(await vault.get(r.id)))) }
    },
    'data.get': async ({ id }) => {
      const record = await vault.get(id)
      const history = await vault.history(id)
      return {
        record: summary(record),
        value: toForm(record.value),
        history: history.map((h) => ({ version: h.version, at: Date.parse(h.time), preview: h.title })),
        shares: record.shares.map((entry) => shareOf(context, record, entry)),
      }
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
      const record = await vault.get(id)
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
    'data.previewImport': async ({ format, content }) => {
      const result = await vault.previewImport(utf8(content), { format })
      await vault.discardImport(result.importId)
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
    'data.import': async ({ format, content, title, tags, skipInvalid }) => {
      const result = await vault.previewImport(utf8(content), { format })
      const record = await vault.commitImport(result.importId, {
        title,
        ...(tags === undefined ? {} : { tags }),
        ...(skipInvalid === undefined ? {} : { skipInvalidRows: skipInvalid }),
      })
      changed()
      const rows = record.shape.rows ?? 0
      return { id: record.id, rows, skipped: result.rowCount - rows }
    },
    'data.addFile': async ({ title, fileName, mediaType, tags, content, path }, call) => {
      if (path !== undefined) requireLocal(call, 'path')
      if (path === undefined && content === undefined)
        throw new EnigmaError('INVALID_ARGUMENT', 'data.addFile: give the content or a path')
      const source = path === undefined ? [Buffer.from(content ?? '', 'base64')] : createReadStream(path)
      const record = await vault.addFile(
        {
          title,
          name: fileName,
          mime: mediaType ?? 'application/octet-stream',
          ...(tags === undefined ? {} : { tags }),
        },
        source as Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
      )
      changed()
      return { id: record.id }
    },
    'data.saveFile': async ({ id, path }, call) => {
      const record = await vault.get(id)
      if (record.value.type !== 'file')
        throw new EnigmaError('INVALID_ARGUMENT', `id: ${record.title} is not a file`)
      await confirmed(call, {
        kind: 'export',
        method: 'data.saveFile',
        facts: { what: 'file', title: record.title, ...(path === undefined ? {} : { path }) },
      })
      const safe = record.value.name.replace(/[^\p{L}\p{N}._-]/gu, '_')
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
