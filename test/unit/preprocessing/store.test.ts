import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitInSlices } from '../../../core/audit/committing.ts'
import { equalBytes } from '../../../core/base/bytes.ts'
import { g1 } from '../../../core/commitments/g1.ts'
import { commitVector } from '../../../core/commitments/pedersen.ts'
import type { CommitVector } from '../../../core/commitments/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import type { Epoch, MaterialSource } from '../../../core/preprocessing/types.ts'
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
    const source = await store.claim(EPOCH.id, 'job', { random: { from, count } })
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
              await store.append(EPOCH.id, 'random', randoms(end, step.count))
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
                await expect(claim(from, step.count)).rejects.toMatchObject({
                  code: from < mark ? 'MATERIAL_USED' : 'MATERIAL_EXHAUSTED',
                })
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

  it('erases what was claimed when the process ends before it is taken, and never hands it out', async () => {
    await store.append(EPOCH.id, 'random', randoms(0, 9000))
    const records = new SqliteMaterialRecords(database)
    records.claim(EPOCH.id, 'job', [{ lane: 'random', from: 100, count: 5000 }])
    expect(records.take(EPOCH.id, 'random', 100, 5100)).toMatchObject({ start: 100, count: 3996 })
    reopen()
    const left = database.prepare('SELECT start, count FROM chunks ORDER BY start').all()
    expect(left).toEqual([
      { start: 5100, count: 3092 },
      { start: 8192, count: 808 },
    ])
    expect(store.marks(EPOCH.id).random).toBe(5100)
    await expect(claim(5099, 10)).rejects.toMatchObject({ code: 'MATERIAL_USED' })
    expect(await claim(5100, 2)).toEqual([5100, 5101])
  })

  it('keeps the masks of every owner in step, with the clear values of its own', async () => {
    for (const owner of [0, 1]) {
      const vectors = [field.random(10), field.random(10), ...(owner === 1 ? [field.random(10)] : [])]
      await store.append(EPOCH.id, 'mask', vectors, owner)
    }
    expect(store.stock(EPOCH.id).mask).toBe(10)
    const source = await store.claim(EPOCH.id, 'job', { mask: { from: 2, count: 4 } })
    expect((await source.masks(0, 4)).clear).toBeUndefined()
    const { shares, clear } = await source.masks(1, 3)
    expect([shares.share.length, shares.mac.length, clear?.length]).toEqual([3, 3, 3])
    await expect(source.masks(1, 2)).rejects.toMatchObject({ code: 'MATERIAL_EXHAUSTED' })
    expect(store.marks(EPOCH.id).mask).toBe(6)
  })

  it('erases key and material for good', async () => {
    const secret = field.random(64)
    const needle = Buffer.from(field.toBytes(secret)).subarray(0, 32)
    await store.append(EPOCH.id, 'bit', [secret, field.random(64)])
    const source = await store.claim(EPOCH.id, 'job', { bit: { from: 32, count: 8 } })
    await store.append(EPOCH.id, 'bit', [secret, field.random(64)])
    database.pragma('wal_checkpoint(TRUNCATE)')
    expect(readFileSync(path).includes(needle)).toBe(true)
    store.destroy(EPOCH.id, 'a MAC check failed')
    await expect(store.claim(EPOCH.id, 'other', {})).rejects.toMatchObject({ code: 'MATERIAL_DESTROYED' })
    expect(store.find(EPOCH.parties)).toBeUndefined()
    await source.destroy('again')
    await expect(source.bits(1)).rejects.toMatchObject({ code: 'MATERIAL_DESTROYED' })
    reopen()
    expect(readFileSync(path).includes(needle)).toBe(false)
  })

  describe('with commitments made ahead', () => {
    const COUNT = 5000

    /** A row of 4096 triples and one of 904. */
    const append = async () => {
      const vectors = Array.from({ length: 6 }, () => field.random(COUNT))
      await store.append(EPOCH.id, 'triple', vectors)
      return vectors
    }
    const commitAhead = (commit: CommitVector = commitInSlices, signal?: AbortSignal) =>
      store.commitAhead(EPOCH.id, 'triple', COUNT, commit, signal)
    const claimTriples = (from: number, count: number) =>
      store.claim(EPOCH.id, 'job', { triple: { from, count } })

    it('hands them out with the items, and once', async () => {
      await append()
      expect([await commitAhead(), store.committed(EPOCH.id, 'triple')]).toEqual([true, 4096])
      // Claims that jump, end inside a row, and reach into the one without commitments.
      for (const [from, count, ready] of [
        [10, 90, 90],
        [100, 4200, 3996],
      ] as const) {
        const source = await claimTriples(from, count)
        const parts = source.ready!('triple', count)
        expect(parts.map((p) => [p.from, p.count])).toEqual([[0, ready]])
        const { a, b, c } = await source.triples(count)
        for (const [k, { share }] of [a, b, c].entries()) {
          const points = commitVector(field.slice(share, 0, ready), field.fromBytes(parts[0]!.masks[k]!))
          expect(equalBytes(g1.toBytes(points), parts[0]!.points[k]!)).toBe(true)
        }
        expect(source.ready!('triple', 1)).toEqual([])
      }
      expect(store.committed(EPOCH.id, 'triple')).toBe(0)
      expect(await commitAhead()).toBe(true)
      expect([await commitAhead(), store.committed(EPOCH.id, 'triple')]).toEqual([false, 700])
    })

    it('makes them for the next items only', async () => {
      await append()
      await claimTriples(0, 4096)
      expect(await store.commitAhead(EPOCH.id, 'triple', 0, commitInSlices)).toBe(false)
      expect(await store.commitAhead(EPOCH.id, 'triple', 1, commitInSlices)).toBe(true)
    })

    it('drops those that were overtaken by a claim, and stops when it should', async () => {
      await append()
      let source: MaterialSource | undefined
      const overtaken: CommitVector = async (values, masks) => {
        source ??= await claimTriples(0, 10)
        return commitInSlices(values, masks)
      }
      await commitAhead(overtaken)
      expect(store.committed(EPOCH.id, 'triple')).toBe(0)
      expect(source!.ready!('triple', 10)).toEqual([])
      expect(await commitAhead(commitInSlices, AbortSignal.abort())).toBe(false)
      store.destroy(EPOCH.id, 'over')
      expect(await commitAhead()).toBe(false)
    })

    it.each(['data', 'commitments'])(
      'never hands out commitments to something else: damaged %s',
      async (column) => {
        await append()
        await commitAhead()
        const { bytes } = database
          .prepare(`SELECT ${column} AS bytes FROM chunks WHERE commitments IS NOT NULL`)
          .get() as { bytes: Uint8Array }
        bytes[bytes.length - 40]! ^= 1
        database.prepare(`UPDATE chunks SET ${column} = ? WHERE commitments IS NOT NULL`).run(bytes)
        const source = await claimTriples(0, 20)
        expect(source.ready!('triple', 20)).toEqual([])
        expect((await source.triples(20)).a.share.length).toBe(20)
        // The rest of the row has none either.
        expect(store.committed(EPOCH.id, 'triple')).toBe(0)
      },
    )

    it('erases their masks with the epoch', async () => {
      await append()
      await commitAhead()
      const row = database.prepare('SELECT commitments FROM chunks WHERE commitments IS NOT NULL').get()
      const mask = Buffer.from((row!.commitments as Uint8Array).subarray(32, 64))
      database.pragma('wal_checkpoint(TRUNCATE)')
      expect(readFileSync(path).includes(mask)).toBe(true)
      store.destroy(EPOCH.id, 'a MAC check failed')
      reopen()
      expect(readFileSync(path).includes(mask)).toBe(false)
    })
  })

  it('refuses unknown epochs, ragged vectors and a second epoch of one name', async () => {
    expect(() => store.stock('f'.repeat(64))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(() => store.open(EPOCH, field.random(1))).toThrow(
      expect.objectContaining({ code: 'MATERIAL_USED' }),
    )
    await expect(store.append(EPOCH.id, 'random', [field.random(2), field.random(3)])).rejects.toMatchObject({
      code: 'LENGTH_MISMATCH',
    })
    await expect(store.append(EPOCH.id, 'mask', [field.random(2), field.random(2)], 1)).rejects.toMatchObject(
      { code: 'LENGTH_MISMATCH' },
    )
  })
})
