import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Preprocessing } from '../../../core/node/preprocessing.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId } from '../../../core/transport/types.ts'
import { testParameters } from '../bgv/parameters.ts'

const parties = ['a', 'b'].map((c) => `0x${c.repeat(40)}` as NodeId)
let dir: string
let nodes: Preprocessing[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-preprocessing-'))
  const network = new MemoryNetwork()
  nodes = parties.map((id) => {
    const dataDir = mkdtempSync(join(dir, 'node-'))
    return new Preprocessing({ transport: network.join(id), dataDir }, testParameters(256))
  })
})
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  rmSync(dir, { recursive: true })
})

/** Takes triples at both nodes, and keeps the job running until `until`. Returns the epochs. */
async function job(run: string, until: Promise<void> = Promise.resolve()) {
  const prepared = Promise.withResolvers<void>()
  let waiting = nodes.length
  const epochs = Promise.all(
    nodes.map((node) =>
      node.exclusively(run, async () => {
        const { source } = await node.prepare({
          ...{ id: run, run, jobId: run, parties, amounts: { triple: 3 } },
          signal: AbortSignal.timeout(60_000),
          onProgress: () => undefined,
        })
        if (--waiting === 0) prepared.resolve()
        source.macKey.free()
        await until
        return source.epoch.id
      }),
    ),
  )
  epochs.catch(prepared.reject)
  await prepared.promise
  return { epochs }
}

it('jobs of one committee that follow each other share an epoch', async () => {
  const first = await (await job('one')).epochs
  const over = Promise.withResolvers<void>()
  const second = await job('two', over.promise)
  // Waits for the second to end.
  const third = job('three')
  over.resolve()
  const [epoch] = first
  expect([first, await second.epochs, await (await third).epochs]).toEqual(
    Array.from({ length: 3 }, () => [epoch, epoch]),
  )
})

it('a job takes nothing from an epoch that another job is using', async () => {
  const over = Promise.withResolvers<void>()
  const first = await job('one', over.promise)
  const second = await job('two')
  const [used, own] = [first.epochs, await second.epochs]
  const third = await (await job('three')).epochs
  over.resolve()
  expect(own[0]).toBe(own[1])
  expect(await used).not.toContain(own[0])
  expect(third).toEqual(own)
  // The older one is gone: only the newest has a stock.
  const { triple } = nodes[0]!.stock()
  await (await job('four')).epochs
  expect(nodes[0]!.stock().triple).toBe(triple - 3)
})
