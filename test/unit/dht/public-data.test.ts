import { createHash, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, it } from 'vitest'
import { KiB, MiB } from '../../../core/base/units.ts'
import {
  decodeManifest,
  encodeManifest,
  getManifest,
  getStream,
  putStream,
} from '../../../core/dht/public-data.ts'
import { account, type World, world } from './harness.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const collect = async (parts: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> => {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return all
}

let w: World
afterEach(() => w.stop())

async function* source(bytes: number, part: number, hash: ReturnType<typeof createHash>) {
  for (let left = bytes; left > 0; left -= part) {
    const data = randomBytes(Math.min(part, left))
    hash.update(data)
    yield data
  }
}

it('streams a file through the network without loading it whole', async () => {
  w = world(4)
  const owner = account()
  const size = 48 * MiB + 12_345
  const sent = createHash('sha256')
  let samples = 0
  gc()
  const before = process.memoryUsage()
  let peak = 0
  const client = w.nodes[0]!.dht.client
  const watch = () => {
    if (samples++ % 8 !== 0) return
    gc()
    // The database in memory is the store, not the stream; it does not count among array buffers.
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before.arrayBuffers)
  }
  const { key, manifest } = await putStream(client, source(size, 300 * KiB, sent), owner, {
    replicas: 1,
    quorum: 1,
    onProgress: watch,
  })
  expect(manifest.size).toBe(size)
  expect(manifest.chunks).toHaveLength(Math.ceil(size / manifest.chunkSize))
  const got = createHash('sha256')
  const read = w.nodes[3]!.dht.client
  for await (const part of getStream(read, await getManifest(read, key))) {
    got.update(part)
    watch()
  }
  expect(got.digest('hex')).toBe(sent.digest('hex'))
  expect(samples).toBeGreaterThan(64)
  expect(peak).toBeLessThan(24 * MiB)
})

it('stores empty and small files, and finds them with holders away', async () => {
  w = world(5)
  const owner = account()
  const client = w.nodes[0]!.dht.client
  const empty = await putStream(client, source(0, 1, createHash('sha256')), owner)
  expect((await collect(getStream(client, empty.manifest))).length).toBe(0)
  const data = randomBytes(100_000)
  const small = await putStream(
    client,
    (async function* () {
      yield data
    })(),
    owner,
    { chunkSize: 1 << 15, mediaType: 'text/csv' },
  )
  w.network.kill(w.nodes[1]!.id)
  w.network.kill(w.nodes[2]!.id)
  const manifest = await getManifest(client, small.key)
  expect(manifest).toEqual(small.manifest)
  expect(manifest.mediaType).toBe('text/csv')
  const parts = await collect(getStream(client, manifest))
  expect(Buffer.compare(Buffer.concat(parts), data)).toBe(0)
})

it('removes the chunks of a stream that failed', async () => {
  w = world(4)
  const owner = account()
  const failing = (async function* () {
    yield randomBytes(600 * KiB)
    yield randomBytes(600 * KiB)
    throw new Error('disk pulled')
  })()
  await expect(putStream(w.nodes[0]!.dht.client, failing, owner)).rejects.toMatchObject({ code: 'INTERNAL' })
  for (const n of w.nodes) expect(n.storage.records.usage().records).toBe(0)
})

it('refuses manifests that do not add up', () => {
  w = world(0)
  const good = {
    version: 1 as const,
    size: 10,
    chunkSize: 4,
    chunks: Array(3).fill(`0x${'11'.repeat(32)}`),
    mediaType: '',
  }
  expect(decodeManifest(encodeManifest(good))).toEqual(good)
  for (const bad of [
    { ...good, size: 20 },
    { ...good, chunks: [] },
    { ...good, size: -1 },
    { ...good, chunkSize: 2 ** 30 },
  ])
    expect(() => decodeManifest(encodeManifest(bad))).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
})
