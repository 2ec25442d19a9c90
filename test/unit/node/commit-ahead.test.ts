import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitVector } from '../../../core/commitments/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { NodeContext } from '../../../core/node/context.ts'
import { Preprocessing } from '../../../core/node/preprocessing.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import { openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import { nodeId } from '../preprocessing/committee.ts'

const COMPLETE = { triple: 32_768, bit: 32_768, random: 8192, mask: 10_000 }
const VECTORS = { triple: 6, bit: 2, random: 2 }

let dataDir: string
let preprocessing: Preprocessing | undefined

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'enigma-ahead-'))
})
afterEach(async () => {
  await preprocessing?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A node with these items in stock. */
async function stocked(stock: typeof COMPLETE): Promise<Preprocessing> {
  const database = openDatabase(join(dataDir, 'material.db'), MATERIAL_MIGRATIONS)
  const store = new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(database) })
  const epoch = { id: 'e'.repeat(64), parties: [nodeId(0), nodeId(1)], index: 1 }
  store.open(epoch, field.random(1))
  for (const kind of ['triple', 'bit', 'random'] as const) {
    const vectors = Array.from({ length: VECTORS[kind] }, () => field.random(stock[kind]))
    await store.append(epoch.id, kind, vectors)
  }
  for (const owner of [0, 1]) {
    const vectors = Array.from({ length: 2 + owner }, () => field.random(stock.mask))
    await store.append(epoch.id, 'mask', vectors, owner)
  }
  database.close()
  preprocessing = new Preprocessing({ options: { dataDir } } as NodeContext)
  return preprocessing
}

describe('commitments in idle time', () => {
  /** Points of zeros: what they are is the business of others. */
  const commit: CommitVector = async (values) => new Uint8Array(64 * values.length)

  it('are made to what the next jobs take of a complete stock', async () => {
    const node = await stocked(COMPLETE)
    expect(await node.commitAhead(commit, () => true)).toBe(true)
    // 30,000 triples are wanted ready, in rows of 4096.
    expect(node.committed()).toBe(32_768)
    expect(node.working()).toBe(false)
    expect(await node.commitAhead(commit, () => true)).toBe(false)
  })

  it('wait for a complete stock', async () => {
    const node = await stocked({ ...COMPLETE, bit: 100 })
    expect(await node.commitAhead(commit, () => true)).toBe(false)
    expect(node.committed()).toBe(0)
  })

  it('stop between rows when there is other work', async () => {
    const node = await stocked(COMPLETE)
    let rows = 0
    expect(await node.commitAhead(commit, () => rows++ < 2)).toBe(true)
    expect(node.committed()).toBe(2 * 4096)
  })

  it('end with the node, within a vector', async () => {
    const node = await stocked(COMPLETE)
    const begun = Promise.withResolvers<void>()
    let calls = 0
    const work = node.commitAhead(
      async (values, masks) => {
        calls += 1
        begun.resolve()
        return commit(values, masks)
      },
      () => true,
    )
    await begun.promise
    expect(node.working()).toBe(true)
    await node.stop()
    preprocessing = undefined
    expect(await work).toBe(false)
    expect(calls).toBe(1)
  })
})
