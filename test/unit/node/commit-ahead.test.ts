import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitVector } from '../../../core/commitments/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { Preprocessing } from '../../../core/node/preprocessing.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import { openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import { testParameters } from '../bgv/parameters.ts'
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
  const transport = new MemoryNetwork().join(nodeId(1))
  preprocessing = new Preprocessing({ transport, dataDir }, testParameters(256))
  return preprocessing
}

describe('commitments in idle time', () => {
  /** Points of zeros: what they are is the business of others. */
  const commit: CommitVector = async (values) => new Uint8Array(64 * values.length)

  it('are made to what the next jobs take of a complete stock', async () => {
    const node = await stocked(COMPLETE)
    expect(await node.commitAhead(commit)).toBe(true)
    expect(node.committed()).toBe(4096)
    while (await node.commitAhead(commit));
    // 30,000 triples are wanted ready, in rows of 4096.
    expect(node.committed()).toBe(32_768)
  })

  it('wait for a complete stock', async () => {
    const node = await stocked({ ...COMPLETE, bit: 100 })
    expect(await node.commitAhead(commit)).toBe(false)
    expect(node.committed()).toBe(0)
  })

  it('end with the node, within a vector', async () => {
    const node = await stocked(COMPLETE)
    const begun = Promise.withResolvers<void>()
    let calls = 0
    const work = node.commitAhead(async (values, masks) => {
      calls += 1
      begun.resolve()
      return commit(values, masks)
    })
    await begun.promise
    // One at a time.
    expect(await node.commitAhead(commit)).toBe(false)
    await node.stop()
    preprocessing = undefined
    expect(await work).toBe(false)
    expect(calls).toBe(1)
  })
})
