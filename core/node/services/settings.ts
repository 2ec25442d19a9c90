import { writeFile } from 'node:fs/promises'
import { turn } from '../../base/turns.ts'
import type { Settings } from '../../ipc/index.ts'
import { settings as schema } from '../../ipc/index.ts'
import { confirmed, type Handlers, type NodeContext } from '../context.ts'
import { exportPath } from './vault.ts'

const DEFAULTS: Settings = {
  language: 'en',
  theme: 'system',
  autoLockMinutes: 10,
  role: 'person',
  storageQuotaBytes: 10e9,
  notifications: true,
}

/** What was set, the rest from the defaults; a damaged row falls back as a whole. */
export function readSettings(context: Pick<NodeContext, 'settings'>): Settings {
  const stored = schema.partial().safeParse(context.settings.get('settings') ?? {})
  const set = stored.success ? stored.data : {}
  return { ...DEFAULTS, ...Object.fromEntries(Object.entries(set).filter(([, v]) => v !== undefined)) }
}

/** `changed` is told what now holds. */
export function settingsHandlers(context: NodeContext, changed: (settings: Settings) => void): Handlers {
  const { vault, events } = context
  return {
    'settings.get': async () => readSettings(context),
    'settings.set': async (change) => {
      const next = {
        ...readSettings(context),
        ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
      }
      context.settings.set('settings', next)
      changed(readSettings(context))
      events.emit({ type: 'settings' })
      return readSettings(context)
    },
    'activity.list': async ({ kinds, from, to, query, limit, before }) => {
      const all = await vault.activity({
        ...(kinds?.length === 1 ? { kind: kinds[0] as string } : {}),
        ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
        ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
        limit: 100_000,
      })
      const found: typeof all = []
      for (const entry of all) {
        await turn()
        if (
          (kinds === undefined || kinds.length === 0 || kinds.some((kind) => entry.kind.startsWith(kind))) &&
          (before === undefined || entry.index < before) &&
          (query === undefined || JSON.stringify(entry.fields).includes(query) || entry.kind.includes(query))
        )
          found.push(entry)
      }
      return {
        entries: found.slice(0, limit ?? 200).map((entry) => ({
          seq: entry.index,
          at: Date.parse(entry.time),
          kind: entry.kind,
          facts: Object.fromEntries(Object.entries(entry.fields).map(([k, v]) => [k, String(v)])),
          hash: `0x${entry.hash}`,
        })),
        total: found.length,
      }
    },
    'activity.verify': async () => {
      const verdict = await vault.verifyActivity()
      return {
        valid: verdict.ok,
        entries: verdict.entries,
        head: verdict.head,
        ...(verdict.problem === undefined ? {} : { problem: verdict.problem }),
      }
    },
    'activity.export': async ({ path }, call) => {
      await confirmed(call, {
        kind: 'export',
        method: 'activity.export',
        facts: { what: 'activity', ...(path === undefined ? {} : { path }) },
      })
      const target = await exportPath(context, call, path, 'activity.jsonl')
      const lines = await vault.exportActivity()
      await writeFile(target, lines, { mode: 0o600, flag: 'wx' })
      return { path: target, entries: lines.split('\n').filter((line) => line !== '').length }
    },
  }
}
