import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import type { Epoch } from '../../../core/preprocessing/types.ts'
import { type Database, openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import { nodeId } from './committee.ts'

const EPOCH: Epoch = { id: 'e'.repeat(64), parties: [nodeId(0), nodeId(1)], index: 1 }

describe('the consume-once store', () => {
  let dir: string
  let path: string
  let database: Database
  let store: ConsumeOnceStore

  const reopen = () => {
    database?.close()
    database = openDatabase(path, MATERIAL_MIGRATIONS)
    store = new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(database) })
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'enigma-material-'))
    path = join(dir, 'material.db')
    reopen()
    store.open(EPOCH, field.fromBigints([42n]))
  })

  afterEach(() => {
    database.close()
    rmSync(dir, { recursive: true, force: true })
  })

  /** Random items numbered by their values. */
  const randoms = (from: number, count: number) => {
    const values = Array.from({ length: count }, (_, i) => BigInt(from + i))
    return [field.fromBigints(values), field.fromBigints(values.map((v) => v + 1_000_000n))]
  }

  const claim = async (from: number, count: number) => {
    const source = store.claim(EPOCH.id, 'job', { random: { from, count } })
    const { share, mac } = await source.randoms(count)
    const values = field.toBigints(share)
    expect(field.toBigints(mac)).toEqual(values.map((v) => v + 1_000_000n))
    return values.map(Number)
  }

  it('hands every item out once, whatever is claimed, after restarts and from restored copies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ op: fc.constant('append' as const), count: fc.integer({ min: 1, max: 9000 }) }),
            fc.record({
              op: fc.constant('claim' as const),
              count: fc.integer({ min: 1, max: 6000 }),
              skip: fc.integer({ min: -50, max: 50 }),
            }),
            fc.record({ op: fc.constant('reopen' as const) }),
            fc.record({ op: fc.constant('backup' as const) }),
            fc.record({ op: fc.constant('restore' as const) }),
          ),
          { maxLength: 14 },
        ),
        async (steps) => {
          database.close()
          rmSync(path, { force: true })
          reopen()
          store.open(EPOCH, field.fromBigints([42n]))
          const seen = new Set<number>()
          let end = 0
          // What the other members of the committee remember.
          let others = 0
          database.close()
          copyFileSync(path, join(dir, 'backup.db'))
          let backupEnd = 0
          reopen()
          for (const step of steps) {
            if (step.op === 'append') {
              store.append(EPOCH.id, 'random', randoms(end, step.count))
              end += step.count
            } else if (step.op === 'reopen') {
              reopen()
            } else if (step.op === 'backup') {
              database.close()
              copyFileSync(path, join(dir, 'backup.db'))
              backupEnd = end
              reopen()
            } else if (step.op === 'restore') {
              database.close()
              copyFileSync(join(dir, 'backup.db'), path)
              reopen()
              end = backupEnd
            } else {
              const mark = store.marks(EPOCH.id).random
              const from = Math.max(0, Math.max(mark, others) + step.skip)
              const allowed = from >= mark && from + step.count <= end
              if (!allowed) {
                expect(() => store.claim(EPOCH.id, 'job', { random: { from, count: step.count } })).toThrow(
                  expect.objectContaining({ code: from < mark ? 'MATERIAL_USED' : 'MATERIAL_EXHAUSTED' }),
                )
                continue
              }
              // The committee agrees on the highest mark; below it nobody goes.
              if (from < others) continue
              for (const item of await claim(from, step.count)) {
                expect(seen.has(item)).toBe(false)
                seen.add(item)
              }
              others = from + step.count
            }
            expect(store.stock(EPOCH.id).random).toBe(Math.max(0, end - store.marks(EPOCH.id).random))
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it('keeps the masks of every owner in step, with the clear values of its own', async () => {
    for (const owner of [0, 1]) {
      const vectors = [field.random(10), field.random(10), ...(owner === 1 ? [field.random(10)] : [])]
      store.append(EPOCH.id, 'mask', vectors, owner)
    }
    expect(store.stock(EPOCH.id).mask).toBe(10)
    const source = store.claim(EPOCH.id, 'job', { mask: { from: 2, count: 4 } })
    expect((await source.masks(0, 4)).clear).toBeUndefined()
    const { shares, clear } = await source.masks(1, 3)
    expect([shares.share.length, shares.mac.length, clear?.length]).toEqual([3, 3, 3])
    await expect(source.masks(1, 2)).rejects.toMatchObject({ code: 'MATERIAL_EXHAUSTED' })
    expect(store.marks(EPOCH.id).mask).toBe(6)
  })

  it('erases key and material for good', async () => {
    const secret = field.random(64)
    const needle = Buffer.from(field.toBytes(secret)).subarray(0, 32)
    store.append(EPOCH.id, 'bit', [secret, field.random(64)])
    const source = store.claim(EPOCH.id, 'job', { bit: { from: 32, count: 8 } })
    store.append(EPOCH.id, 'bit', [secret, field.random(64)])
    database.pragma('wal_checkpoint(TRUNCATE)')
    expect(readFileSync(path).includes(needle)).toBe(true)
    store.destroy(EPOCH.id, 'a MAC check failed')
    expect(() => store.claim(EPOCH.id, 'other', {})).toThrow(
      expect.objectContaining({ code: 'MATERIAL_DESTROYED' }),
    )
    expect(store.find(EPOCH.parties)).toBeUndefined()
    await source.destroy('again')
    await expect(source.bits(1)).rejects.toMatchObject({ code: 'MATERIAL_DESTROYED' })
    reopen()
    expect(readFileSync(path).includes(needle)).toBe(false)
  })

  it('refuses unknown epochs, ragged vectors and a second epoch of one name', () => {
    expect(() => store.stock('f'.repeat(64))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(() => store.open(EPOCH, field.random(1))).toThrow(
      expect.objectContaining({ code: 'MATERIAL_USED' }),
    )
    expect(() => store.append(EPOCH.id, 'random', [field.random(2), field.random(3)])).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
    )
    expect(() => store.append(EPOCH.id, 'mask', [field.random(2), field.random(2)], 1)).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
    )
  })
})
