import { z } from 'zod'
import { concatBytes, fromHex, toHex } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { decodeCanonical } from './cbor.ts'
import type { DhtClient } from './client.ts'
import { CHUNK_BYTES, MAX_PUBLIC_BYTES, REPLICAS } from './constants.ts'
import { publicKey } from './records.ts'
import type { Hash, Manifest, OwnerSigner } from './types.ts'

/** Chunks under way at a time, for both directions: bounds memory to a few chunks. */
const WIDTH = 4

const manifestSchema = z
  .strictObject({
    version: z.literal(1),
    size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    chunkSize: z.number().int().min(1).max(MAX_PUBLIC_BYTES),
    /** The digests of the chunks, 32 bytes each. */
    chunks: z.custom<Uint8Array>((v) => v instanceof Uint8Array && v.length % 32 === 0),
    mediaType: z.string().max(128),
  })
  .refine((m) => m.chunks.length / 32 === Math.ceil(m.size / m.chunkSize))

export function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeCanonical({ ...manifest, chunks: concatBytes(...manifest.chunks.map((c) => fromHex(c, 32))) })
}

/** Throws RECORD_INVALID. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const m = decodeCanonical(bytes, manifestSchema)
  const chunks = Array.from(
    { length: m.chunks.length / 32 },
    (_, i) => toHex(m.chunks.subarray(32 * i, 32 * i + 32)) as Hash,
  )
  return { version: 1, size: m.size, chunkSize: m.chunkSize, chunks, mediaType: m.mediaType }
}

export interface PutStreamOptions {
  /** 256 KiB to 1 MiB; default 512 KiB. */
  chunkSize?: number
  replicas?: number
  quorum?: number
  mediaType?: string
  signal?: AbortSignal
  onProgress?: (bytes: number) => void
}

/**
 * Stores public data of any size in content-addressed chunks and returns the key of the manifest. Holds a few
 * chunks in memory at a time. On failure the chunks already stored are deleted again.
 */
export async function putStream(
  client: DhtClient,
  source: AsyncIterable<Uint8Array>,
  signer: OwnerSigner,
  options: PutStreamOptions = {},
): Promise<{ key: Hash; manifest: Manifest }> {
  const chunkSize = options.chunkSize ?? CHUNK_BYTES
  if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > MAX_PUBLIC_BYTES)
    throw new EnigmaError('INVALID_ARGUMENT', `a chunk has 1 to ${MAX_PUBLIC_BYTES} bytes`)
  const replicas = options.replicas ?? REPLICAS
  const store = async (data: Uint8Array): Promise<void> => {
    const record = { kind: 'public' as const, key: publicKey(data), owner: signer.owner, data }
    await client.putPublic(record, signer, {
      replicas,
      quorum: options.quorum ?? Math.ceil((replicas + 1) / 2),
      ...(options.signal ? { signal: options.signal } : {}),
    })
  }
  const chunks: Hash[] = []
  const underWay = new Set<Promise<void>>()
  let size = 0
  let failure: unknown
  try {
    for await (const chunk of rechunk(source, chunkSize)) {
      options.signal?.throwIfAborted()
      if (failure !== undefined) throw failure
      chunks.push(publicKey(chunk))
      size += chunk.length
      const task: Promise<void> = store(chunk)
        .then(() => options.onProgress?.(chunk.length))
        .catch((error: unknown) => {
          failure ??= error
        })
        .finally(() => underWay.delete(task))
      underWay.add(task)
      if (underWay.size >= WIDTH) await Promise.race(underWay)
    }
    await Promise.all(underWay)
    if (failure !== undefined) throw failure
    const manifest: Manifest = { version: 1, size, chunkSize, chunks, mediaType: options.mediaType ?? '' }
    const encoded = encodeManifest(manifest)
    if (encoded.length > MAX_PUBLIC_BYTES)
      throw new EnigmaError('INVALID_ARGUMENT', `${size} bytes are too many for chunks of ${chunkSize} bytes`)
    await store(encoded)
    return { key: publicKey(encoded), manifest }
  } catch (error) {
    await Promise.all(underWay)
    await Promise.allSettled(chunks.map((key) => client.delete('public', key, signer)))
    throw EnigmaError.from(error)
  }
}

/** Loads and verifies a manifest by its key. Codes: NOT_FOUND, RECORD_INVALID. */
export async function getManifest(client: DhtClient, key: Hash, signal?: AbortSignal): Promise<Manifest> {
  return decodeManifest(await client.getPublic(key, signal ? { signal } : {}))
}

/** The data of a manifest in order, each chunk verified against its digest before it is handed out. */
export async function* getStream(
  client: DhtClient,
  manifest: Manifest,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const fetch = async (i: number): Promise<Uint8Array> => {
    const key = manifest.chunks[i]!
    const data = await client.getPublic(key, signal ? { signal } : {})
    const expected = Math.min(manifest.chunkSize, manifest.size - i * manifest.chunkSize)
    if (data.length !== expected) throw new EnigmaError('RECORD_INVALID', `chunk ${i} has another length`)
    return data
  }
  const ahead: Promise<Uint8Array>[] = []
  try {
    for (let i = 0; i < manifest.chunks.length; i++) {
      while (ahead.length < WIDTH && i + ahead.length < manifest.chunks.length) {
        const next = fetch(i + ahead.length)
        next.catch(() => undefined)
        ahead.push(next)
      }
      yield await ahead.shift()!
    }
  } finally {
    await Promise.allSettled(ahead)
  }
}

/** Parts of any size as parts of `size` bytes, the last one shorter. */
async function* rechunk(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(size)
  let filled = 0
  for await (const part of source)
    for (let at = 0; at < part.length; ) {
      const n = Math.min(size - filled, part.length - at)
      chunk.set(part.subarray(at, at + n), filled)
      filled += n
      at += n
      if (filled === size) {
        yield chunk
        chunk = new Uint8Array(size)
        filled = 0
      }
    }
  if (filled > 0) yield chunk.slice(0, filled)
}
