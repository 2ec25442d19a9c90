import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import type { CallContext } from '../../ipc/index.ts'
import { account, confirmed, type Handlers, type NodeContext } from '../context.ts'
import type { Session } from '../session.ts'

/** A path a local client named, or a fresh file in the export folder. A renderer cannot choose where to write. */
export async function exportPath(
  context: NodeContext,
  call: CallContext,
  path: string | undefined,
  name: string,
): Promise<string> {
  if (path !== undefined) {
    requireLocal(call, 'path')
    if (!isAbsolute(path)) throw new EnigmaError('INVALID_ARGUMENT', `path: ${path} is not absolute`)
    return path
  }
  const dir = join(context.options.dataDir, 'exports')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const stamp = new Date(context.clock.now()).toISOString().replaceAll(':', '-').slice(0, 19)
  const dot = name.lastIndexOf('.')
  return join(dir, `${name.slice(0, dot)}-${stamp}${name.slice(dot)}`)
}

export function requireLocal(call: CallContext, field: string): void {
  if (call.principal !== 'local')
    throw new EnigmaError('PERMISSION_DENIED', `${field}: only a local client may name a path`)
}

const milliseconds = (iso: string | undefined) => (iso === undefined ? undefined : Date.parse(iso))

export function vaultHandlers(
  context: NodeContext,
  session: Pick<Session, 'opened' | 'closing' | 'recover' | 'uploads'>,
): Handlers {
  const { vault, events } = context
  const changed = () => {
    events.emit({ type: 'vault' })
    events.emit({ type: 'data' })
    events.emit({ type: 'activity' })
  }
  return {
    'vault.status': async () => {
      const status = await vault.status()
      const lastExportAt = milliseconds(status.backupAt)
      const lastRehearsalAt = milliseconds(status.rehearsedAt)
      return {
        state: !status.exists ? 'missing' : status.unlocked ? 'unlocked' : 'locked',
        ...(status.unlocked
          ? { account: account(context).address, publicKey: toHex(account(context).publicKey) }
          : {}),
        ...(lastExportAt === undefined ? {} : { lastExportAt }),
        ...(lastRehearsalAt === undefined ? {} : { lastRehearsalAt }),
        ...(status.backoffSeconds > 0 ? { backoffSeconds: status.backoffSeconds } : {}),
      }
    },
    'vault.create': async ({ password }) => {
      const made = await vault.create(password, { words: 24 })
      await session.opened()
      changed()
      return { phrase: made.phrase.split(' '), account: account(context).address }
    },
    'vault.unlock': async ({ password }) => {
      await vault.unlock(password)
      await session.opened()
      changed()
      return { account: account(context).address }
    },
    'vault.lock': async () => {
      await session.closing()
      await vault.lock()
      changed()
      return {}
    },
    'vault.changePassword': async ({ current, next }) => {
      await vault.changePassword(current, next)
      return {}
    },
    'vault.restore': async ({ phrase, password }) => {
      await vault.restore(phrase, password)
      await session.opened()
      const recovered = await session.recover()
      changed()
      return { account: account(context).address, ...recovered }
    },
    'vault.rehearse': async ({ phrase }) => {
      const rehearsal = await vault.rehearseRestore(phrase)
      if (rehearsal.ok && (await vault.status()).unlocked) await vault.markRehearsed()
      events.emit({ type: 'vault' })
      return { matches: rehearsal.ok, account: rehearsal.address.toLowerCase() }
    },
    'vault.export': async ({ password, path }, call) => {
      const records = (await vault.status()).records
      await confirmed(call, {
        kind: 'export',
        method: 'vault.export',
        facts: { what: 'vault', records: String(records ?? 0), ...(path === undefined ? {} : { path }) },
      })
      const target = await exportPath(context, call, path, 'vault.enigma-export')
      const made = await vault.exportTo(target, { password })
      events.emit({ type: 'vault' })
      return { path: target, bytes: made.bytes, records: made.records }
    },
    'vault.import': async ({ password, path, upload }, call) => {
      let source = path
      if (source !== undefined) requireLocal(call, 'path')
      else if (upload !== undefined)
        source = await session.uploads.use(upload, (content) => writeUpload(context, content))
      if (source === undefined) throw new EnigmaError('INVALID_ARGUMENT', 'vault.import: name a file')
      await stat(source).catch((cause) => {
        throw new EnigmaError('NOT_FOUND', `path: ${source} cannot be read`, { cause })
      })
      try {
        const merged = await vault.importFrom(source, { password })
        changed()
        return { added: merged.added, updated: merged.updated, skipped: merged.unchanged }
      } finally {
        if (upload !== undefined && source !== path) {
          session.uploads.discard(upload)
          await rm(source, { force: true })
        }
      }
    },
  }
}

async function writeUpload(context: NodeContext, content: readonly Uint8Array[]): Promise<string> {
  const path = await exportPath(
    context,
    { principal: 'local', confirm: async () => false },
    undefined,
    'upload.tmp',
  )
  await writeFile(path, content, { mode: 0o600 })
  return path
}
