import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { equalBytes } from '../../../core/base/bytes.ts'
import { randomBytes } from '../../../core/base/random.ts'
import type { ShareRecord, StoredRecord } from '../../../core/dht/types.ts'
import { type NodeStorage, openNodeStorage } from '../../../core/storage/node-storage.ts'

let now = 1000
let s: NodeStorage
beforeEach(() => {
  now = 1000
  s = openNodeStorage(':memory:', {
    clock: { now: () => now++, sleep: async () => {} },
    quotas: { totalBytes: 100_000, ownerBytes: 50_000, ownerRecords: 3 },
  })
})
afterEach(() => s.close())

const hash = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as const
const owner = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as const

function share(n: number, change: Partial<StoredRecord> = {}, by = 1, index = 1): StoredRecord {
  return {
    record: {
      kind: 'share',
      key: hash(n),
      index,
      owner: owner(by),
      n: 3,
      t: 1,
      length: 1,
      values: new Uint8Array(32).fill(n),
      masks: new Uint8Array(32).fill(n + 1),
      commitments: new Uint8Array(64).fill(n + 2),
    },
    digest: hash(n * 100 + index),
    state: 'active',
    authorization: {
      action: 'put',
      kind: 'share',
      key: hash(n),
      content: hash(7),
      owner: owner(by),
      signer: owner(by),
      time: 5,
      signature: new Uint8Array([1, 2, 3]),
    },
    placements: [{ index, holder: owner(9) }],
    expires: undefined,
    ...change,
  }
}

describe('records', () => {
  it('come back as they were stored', async () => {
    const entry = share(1)
    await s.records.put(entry)
    const got = await s.records.get('share', hash(1))
    expect(JSON.stringify(got, bytes)).toBe(JSON.stringify(entry, bytes))
    expect(s.records.summary('share', hash(1))).toMatchObject({ content: hash(7), index: 1, state: 'active' })
    expect(await s.records.get('encrypted', hash(1))).toBeUndefined()
  })

  it('hold one share per key', async () => {
    await s.records.put(share(1))
    await s.records.put(share(1))
    expect(s.records.usage().records).toBe(1)
    await expect(s.records.put(share(1, {}, 1, 2))).rejects.toMatchObject({ code: 'RECORD_INVALID' })
    await expect(s.records.put(share(1, {}, 2))).rejects.toMatchObject({ code: 'RECORD_INVALID' })
    await s.records.put(share(2, { state: 'pending', expires: 10 }))
    await s.records.put(share(2, { state: 'pending', expires: 10 }, 1, 2))
    expect(s.records.summary('share', hash(2))?.index).toBe(2)
    await expect(s.records.put(share(2, { state: 'pending', expires: 10 }, 2, 2))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    })
  })

  it('count against quotas exactly, also after they are gone', async () => {
    for (let i = 1; i <= 3; i++) await s.records.put(share(i))
    await expect(s.records.put(share(4))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await s.records.put(share(4, {}, 2))
    const bytes = s.records.summary('share', hash(1))!.bytes
    expect(s.records.usage(owner(1))).toEqual({ records: 3, bytes: 3 * bytes })
    expect(s.records.usage()).toEqual({ records: 4, bytes: 4 * bytes })
    await s.records.delete('share', hash(1))
    await s.records.delete('share', hash(4))
    expect(s.records.usage(owner(1))).toEqual({ records: 2, bytes: 2 * bytes })
    expect(s.records.usage(owner(2))).toEqual({ records: 0, bytes: 0 })
    await s.records.put(share(5))
    expect(s.records.usage().records).toBe(3)
  })

  it('pass from pending to active and expire otherwise', async () => {
    await s.records.put(share(1, { state: 'pending', expires: 100, placements: [] }))
    await s.records.put(share(2, { state: 'pending', expires: 200, placements: [] }))
    expect(s.records.scan(undefined, 10)).toEqual([])
    expect(s.records.expired(99, 10)).toEqual([])
    expect(s.records.expired(100, 10).map((r) => r.key)).toEqual([hash(1)])
    expect(s.records.activate('share', hash(1), [{ index: 1, holder: owner(3) }])).toBe(true)
    expect(s.records.activate('share', hash(8), [])).toBe(false)
    expect(s.records.expired(1000, 10).map((r) => r.key)).toEqual([hash(2)])
    expect(s.records.scan(undefined, 10)).toMatchObject([
      { key: hash(1), placements: [{ holder: owner(3) }] },
    ])
  })

  it('are scanned page by page and remembered when deleted', async () => {
    for (let i = 1; i <= 6; i++) await s.records.put(share(i, {}, i))
    const first = s.records.scan(undefined, 4)
    const second = s.records.scan(`share/${first.at(-1)!.key}`, 4)
    expect([...first, ...second].map((r) => r.key)).toEqual([1, 2, 3, 4, 5, 6].map(hash))
    expect(await s.records.delete('share', hash(1), 50)).toBe(true)
    expect(await s.records.delete('share', hash(1), 40)).toBe(false)
    expect(s.records.deletedAt('share', hash(1))).toBe(50)
    expect(s.records.deletedAt('share', hash(2))).toBeUndefined()
  })
})

describe('large records', () => {
  const LARGE = 20_000

  function large(n: number): StoredRecord {
    const { record } = share(n)
    return share(n, {
      record: {
        ...(record as ShareRecord),
        length: LARGE,
        values: randomBytes(32 * LARGE),
        masks: randomBytes(32 * LARGE),
        commitments: new Uint8Array(0),
      },
    })
  }

  let path: string
  beforeEach(() => {
    s.close()
    path = join(mkdtempSync(join(tmpdir(), 'enigma-records-')), 'node.db')
    s = openNodeStorage(path)
  })
  afterEach(() => rmSync(dirname(path), { recursive: true }))

  it('are there when they are complete, as they were stored', async () => {
    const entry = large(1)
    const stored = s.records.put(entry)
    expect(s.records.summary('share', hash(1))).toBeUndefined()
    expect(s.records.scan(undefined, 10)).toEqual([])
    expect(s.records.activate('share', hash(1), [])).toBe(false)
    expect(s.records.usage(owner(1)).bytes).toBeGreaterThan(64 * LARGE)
    await stored
    const got = await s.records.get('share', hash(1))
    expect(JSON.stringify(got, bytes) === JSON.stringify(entry, bytes)).toBe(true)
    await s.records.put(entry)
    expect(s.records.usage().records).toBe(1)
  })

  it('follow each other under one key', async () => {
    const entry = large(1)
    const [, deleted] = await Promise.all([
      s.records.put(entry),
      s.records.delete('share', hash(1)),
      s.records.put(entry),
    ])
    expect(deleted).toBe(true)
    const got = await s.records.get('share', hash(1))
    expect(
      got?.record.kind === 'share' && equalBytes(got.record.masks, (entry.record as ShareRecord).masks),
    ).toBe(true)
    const [before, , after] = await Promise.all([
      s.records.get('share', hash(1)),
      s.records.delete('share', hash(1)),
      s.records.get('share', hash(1)),
    ])
    // Whole or not at all.
    for (const read of [before, after]) if (read !== undefined) expect(read.digest).toBe(entry.digest)
    expect(s.records.usage()).toEqual({ records: 0, bytes: 0 })
  })

  it('are erased by the next start when their writing or erasing was cut off', async () => {
    const writing = s.records.put(large(1))
    s.close()
    await expect(writing).rejects.toThrow()
    s = openNodeStorage(path)
    expect(s.records.summary('share', hash(1))).toBeUndefined()
    expect(s.records.usage().records).toBe(1)
    await s.records.recover()
    expect(s.records.usage()).toEqual({ records: 0, bytes: 0 })

    await s.records.put(large(2))
    const erasing = s.records.delete('share', hash(2), 7)
    await Promise.resolve()
    s.close()
    await expect(erasing).rejects.toThrow()
    s = openNodeStorage(path)
    expect(await s.records.get('share', hash(2))).toBeUndefined()
    expect(s.records.deletedAt('share', hash(2))).toBe(7)
    await s.records.recover()
    expect(s.database.prepare('SELECT count(*) AS n FROM pieces').get()).toEqual({ n: 0 })
    expect(s.records.usage()).toEqual({ records: 0, bytes: 0 })
  })

  it('leave no trace when they are erased', async () => {
    const entry = large(1)
    const { masks } = entry.record as ShareRecord
    const marker = Buffer.from(masks.subarray(-600, -568))
    await s.records.put(entry)
    const onDisk = () => [path, `${path}-wal`].some((file) => readFileSync(file).includes(marker))
    expect(onDisk()).toBe(true)
    await s.records.delete('share', hash(1), 1)
    expect(onDisk()).toBe(false)
  })
})

describe('jobs', () => {
  it('move through their states and are found again', () => {
    s.jobs.create({ id: 'a', kind: 'share', state: 'queued', data: { step: 1 } })
    s.jobs.create({ id: 'b', kind: 'compute', state: 'running', data: null })
    expect(() => s.jobs.create({ id: 'a', kind: 'share', state: 'queued', data: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
    expect(s.jobs.unfinished().map((j) => j.id)).toEqual(['a', 'b'])
    expect(s.jobs.unfinished('compute').map((j) => j.id)).toEqual(['b'])
    expect(s.jobs.update('a', { state: 'running', data: { step: 2 } }, ['queued'])).toMatchObject({
      state: 'running',
      data: { step: 2 },
    })
    expect(s.jobs.update('a', { state: 'done' }, ['queued'])).toBeUndefined()
    expect(s.jobs.update('b', { state: 'done' })?.updated).toBeGreaterThan(s.jobs.get('b')!.created)
    expect(s.jobs.unfinished().map((j) => j.id)).toEqual(['a'])
    expect(s.jobs.list({ states: ['done', 'running'], limit: 1 }).map((j) => j.id)).toEqual(['b'])
    expect(s.jobs.list({ kind: 'share' }).map((j) => j.data)).toEqual([{ step: 2 }])
    expect(() => s.jobs.update('zz', {})).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(s.jobs.delete('a')).toBe(true)
    expect(s.jobs.get('a')).toBeUndefined()
  })
})

describe('small state', () => {
  it('settings, values, cursors and the outbox', async () => {
    s.settings.set('theme', { dark: true })
    s.settings.set('theme', { dark: false })
    expect(s.settings.get('theme')).toEqual({ dark: false })
    expect(s.settings.get('none')).toBeUndefined()
    expect(s.settings.all()).toEqual({ theme: { dark: false } })
    expect(() => s.settings.set('x', undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
    expect(s.kv.add('nonces', 'n1', new Uint8Array([1]))).toBe(true)
    expect(s.kv.add('nonces', 'n1', new Uint8Array([2]))).toBe(false)
    expect([...s.kv.get('nonces', 'n1')!]).toEqual([1])
    s.kv.set('nonces', 'n2', new Uint8Array(0))
    expect(s.kv.list('nonces', 'n1').map((e) => e.key)).toEqual(['n2'])
    expect(s.kv.get('other', 'n1')).toBeUndefined()
    s.cursors.put('events', { block: 3, recent: [{ number: 3, hash: hash(3) }] })
    expect(s.cursors.get('events')).toEqual({ block: 3, recent: [{ number: 3, hash: hash(3) }] })
    const intent = (id: string, seq: number) => ({
      id,
      seq,
      label: '',
      signer: owner(1),
      to: owner(2),
      data: '0x' as const,
      value: '0',
      state: 'pending' as const,
      nonce: null,
      txHash: null,
      blockNumber: null,
      blockHash: null,
    })
    s.outbox.put(intent('two', 2))
    s.outbox.put(intent('one', 1))
    s.outbox.put({ ...intent('one', 1), state: 'mined' })
    expect(s.outbox.list().map((i) => [i.id, i.state])).toEqual([
      ['one', 'mined'],
      ['two', 'pending'],
    ])
    s.outbox.delete('one')
    expect(s.outbox.list()).toHaveLength(1)
  })
})

function bytes(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  const json = value as { type?: string; data?: number[] } | null
  return json?.type === 'Buffer' ? Buffer.from(json.data!).toString('hex') : value
}
