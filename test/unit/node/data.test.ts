import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../core/base/log.ts'
import {
  type Input,
  MAX_CELLS,
  type MethodName,
  type Output,
  parseInput,
  parseOutput,
  sendFile,
  UPLOAD_BYTES,
  wholeRecord,
} from '../../../core/ipc/index.ts'
import type { Handlers, NodeContext } from '../../../core/node/context.ts'
import { Events } from '../../../core/node/events.ts'
import { dataHandlers } from '../../../core/node/services/data.ts'
import { Uploads } from '../../../core/node/uploads.ts'
import type { Vault } from '../../../core/vault/vault.ts'
import { collect, PASSWORD, temporaryDir, vaultIn } from '../vault/helpers.ts'

let home: Awaited<ReturnType<typeof temporaryDir>>
let vault: Vault
let uploads: Uploads
let handlers: Handlers
/** Longest answer so far, in characters of JSON. */
let longest: number

async function call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
  const handler = handlers[method] as (input: unknown, call: unknown) => Promise<Output<M>>
  const output = parseOutput(method, await handler(parseInput(method, input), { principal: 'renderer' }))
  longest = Math.max(longest, JSON.stringify(output).length)
  return structuredClone(output)
}

function* pieces(content: Uint8Array): Generator<string> {
  for (let from = 0; from < content.length; from += UPLOAD_BYTES)
    yield Buffer.from(content.subarray(from, from + UPLOAD_BYTES)).toString('base64')
}

beforeEach(async () => {
  home = await temporaryDir()
  vault = vaultIn(home.dir)
  await vault.create(PASSWORD)
  uploads = new Uploads()
  longest = 0
  const context = {
    ...{ vault, events: new Events(silentLog), online: () => false },
  } as unknown as NodeContext
  handlers = dataHandlers(context, uploads)
})
afterEach(async () => {
  await vault.lock()
  await home.remove()
})

describe('a long table', () => {
  const rows = Array.from({ length: 12_000 }, (_, i) => [`2026-01-${(i % 19) + 10}`, `p ${i}`, `${i}.5`])
  const csv = new TextEncoder().encode(`day,who,amount\n${rows.map((row) => row.join(',')).join('\n')}`)

  it('comes in and goes out in parts, whole', async () => {
    const upload = await sendFile(call, pieces(csv))
    const source = { format: 'csv' as const, fileName: 'long.csv', upload }
    expect((await call('data.previewImport', source)).rows).toBe(rows.length)
    const { id, rows: stored, skipped } = await call('data.import', { ...source, title: 'long' })
    expect([stored, skipped]).toEqual([rows.length, 0])
    // What was imported is not kept a second time.
    await expect(call('data.previewImport', source)).rejects.toMatchObject({ code: 'NOT_FOUND' })

    const { value, record } = await call('data.get', { id })
    expect(value).toMatchObject({ type: 'table', total: rows.length })
    expect(value.type === 'table' && value.rows.length * 3).toBeLessThanOrEqual(MAX_CELLS)
    expect(record.preview).toBe('day, who, amount')
    const whole = await wholeRecord(call, { id })
    expect(whole.value).toMatchObject({ type: 'table', rows })
    expect(longest).toBeLessThan(2_000_000)
    await expect(call('data.part', { id: 'no', from: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await call('data.part', { id, from: rows.length })).toEqual({ rows: [] })
  })

  it('with long cells goes out in more parts', async () => {
    const cells = Array.from({ length: 300 }, (_, i) => [`${i} `.padEnd(9_000, 'x')])
    const content = new TextEncoder().encode(`text\n${cells.join('\n')}`)
    const upload = await sendFile(call, pieces(content))
    const { id } = await call('data.import', { format: 'csv', fileName: 'f', upload, title: 'cells' })
    expect((await wholeRecord(call, { id })).value).toMatchObject({ rows: cells })
    expect(longest).toBeLessThan(1_100_000)
  })
})

it('a series as long as can be entered at once comes back, a longer one is refused with a remedy', async () => {
  const points = Array.from({ length: MAX_CELLS }, (_, i) => ({ at: 1e12 + i, value: String(i % 7) }))
  const { id } = await call('data.add', { title: 's', value: { type: 'timeseries', points } })
  expect((await wholeRecord(call, { id })).value).toMatchObject({ points })
  await expect(
    call('data.add', {
      title: 's',
      value: { type: 'timeseries', points: [...points, { at: 2e12, value: '1' }] },
    }),
  ).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringContaining('import a file') })
})

it('a file comes in pieces, an empty one as well', async () => {
  const content = Uint8Array.from({ length: 2 * UPLOAD_BYTES + 77 }, (_, i) => i * 31)
  for (const bytes of [content, new Uint8Array(0)]) {
    const upload = await sendFile(call, pieces(bytes))
    const { id } = await call('data.addFile', { title: 'f', fileName: 'f.bin', upload })
    expect(await collect(await vault.openFile(id))).toEqual(Buffer.from(bytes))
    await expect(lengthOf(upload)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
  await expect(call('data.addFile', { title: 'f', fileName: 'f' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})

const lengthOf = (upload: string) =>
  uploads.use(upload, async (pieces) => pieces.reduce((sum, piece) => sum + piece.length, 0))

describe('uploads', () => {
  const MIB = Buffer.alloc(2 ** 20, 1).toString('base64')

  it('refuses what is not base64 and what is too long, and adds nothing of it', async () => {
    const { upload } = uploads.add(undefined, 'AQID')
    for (const content of ['A', 'AQI', 'AQ!D', 'AQID AQID', '===='])
      expect(() => uploads.add(upload, content), content).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    for (let i = 0; i < 63; i++) uploads.add(upload, MIB)
    expect(() => uploads.add(upload, MIB)).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }))
    expect(await lengthOf(upload)).toBe(63 * 2 ** 20 + 3)
    expect(() => uploads.add('other', 'AQID')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  it('lets go of the oldest when too many wait, but not of what is being read', async () => {
    const names = Array.from({ length: 3 }, () => {
      const { upload } = uploads.add(undefined, MIB)
      for (let i = 1; i < 60; i++) uploads.add(upload, MIB)
      return upload
    })
    await expect(lengthOf(names[0]!)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await uploads.use(names[1]!, async () => {
      for (let i = 0; i < 20; i++) uploads.add(undefined, 'AQID')
      expect(await lengthOf(names[1]!)).toBe(60 * 2 ** 20)
    })
    await expect(lengthOf(names[2]!)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are wiped with the lock, when nobody reads them any more', async () => {
    const kept: Uint8Array[] = []
    const { upload } = uploads.add(undefined, MIB)
    await uploads.use(upload, async ([piece]) => {
      kept.push(piece!)
      uploads.clear()
      expect(piece![0]).toBe(1)
      await expect(lengthOf(upload)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
    expect(kept[0]!.every((byte) => byte === 0)).toBe(true)
  })

  it('are refused while the vault is locked', async () => {
    await vault.lock()
    await expect(call('data.upload', { content: 'AQID' })).rejects.toMatchObject({ code: 'VAULT_LOCKED' })
  })
})
