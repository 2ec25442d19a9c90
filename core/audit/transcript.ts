import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { z } from 'zod'
import { equalBytes, fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { payloadDigest } from '../commitments/rounds.ts'
import type { NodeId } from '../transport/types.ts'
import { roundNumber } from './closing.ts'
import { MAX_PARTIES, MAX_REFERENCES, MAX_ROUNDS, MAX_TRANSCRIPT_BYTES } from './constants.ts'
import type { Anchor, Transcript } from './types.ts'

const VERSION = 1
const bytes = (length?: number) =>
  z.custom<Uint8Array>((v) => v instanceof Uint8Array && (length === undefined || v.length === length))
const points = z.custom<Uint8Array>((v) => v instanceof Uint8Array && v.length % 64 === 0)

const anchorSchema = z.tuple([bytes(20), z.int().min(0).max(0xffff_ffff)])
const schema = z
  .tuple([
    z.literal(VERSION),
    bytes(32),
    bytes(32),
    z.custom<Uint8Array>((v) => v instanceof Uint8Array && v.length <= 1024),
    z.array(bytes(20)).min(2).max(MAX_PARTIES),
    anchorSchema,
    z.array(bytes()).max(MAX_REFERENCES),
    z.array(points),
    z.array(points),
    z.array(z.tuple([z.array(bytes()), z.array(bytes(65))])).max(MAX_ROUNDS),
  ])
  .refine(([, , , , parties, , , inputs, material, rounds]) => {
    const n = parties.length
    const all = [inputs, material, ...rounds.flat()]
    return all.every((list) => list.length === n)
  })

const address = (id: NodeId) => fromHex(id, 20)
const nodeId = (b: Uint8Array) => toHex(b) as NodeId

/** Canonical CBOR (RFC 8949 §4.2). */
export function encodeTranscript(t: Transcript): Uint8Array {
  return encode(
    [
      VERSION,
      t.jobId,
      t.nonce,
      t.context,
      t.parties.map(address),
      [address(t.anchor.writer), t.anchor.block],
      t.originals,
      t.inputs,
      t.material,
      t.rounds.map((r) => [r.payloads, r.signatures]),
    ],
    rfc8949EncodeOptions,
  )
}

/** Strict inverse of `encodeTranscript`: the one canonical encoding, bounded. Throws TRANSCRIPT_INVALID. */
export function decodeTranscript(encoded: Uint8Array): Transcript {
  const [, jobId, nonce, context, parties, anchor, originals, inputs, material, rounds] = parse(
    encoded,
    schema,
    MAX_TRANSCRIPT_BYTES,
  )
  return {
    ...{ jobId, nonce, context, originals, inputs, material },
    parties: parties.map(nodeId),
    anchor: { writer: nodeId(anchor[0]), block: anchor[1] },
    rounds: rounds.map(([payloads, signatures], place) => ({
      ...{ round: roundNumber(place, rounds.length), payloads, signatures },
    })),
  }
}

/** SHA-256 of the encoding: what stands on the ledger. */
export function transcriptDigest(encoded: Uint8Array): Uint8Array {
  return payloadDigest(encoded)
}

export function encodeAnchor(anchor: Anchor): Uint8Array {
  return encode([address(anchor.writer), anchor.block], rfc8949EncodeOptions)
}

/** Undefined when the bytes are no anchor. */
export function decodeAnchor(encoded: Uint8Array): Anchor | undefined {
  try {
    const [writer, block] = parse(encoded, anchorSchema, 64)
    return { writer: nodeId(writer), block }
  } catch {
    return undefined
  }
}

function parse<T>(encoded: Uint8Array, type: z.ZodType<T>, limit: number): T {
  const invalid = (what: string, cause?: unknown) =>
    new EnigmaError('TRANSCRIPT_INVALID', `the transcript ${what}`, { cause })
  if (encoded.length > limit) throw invalid(`has more than ${limit} bytes`)
  let value: unknown
  try {
    value = decode(encoded, {
      ...{ strict: true, allowIndefinite: false, allowUndefined: false, allowNaN: false },
      ...{ allowInfinity: false, allowBigInt: false, rejectDuplicateMapKeys: true },
    })
    if (!equalBytes(encode(value, rfc8949EncodeOptions), encoded)) throw new Error('not canonical')
  } catch (cause) {
    throw invalid('is not canonical CBOR', cause)
  }
  const parsed = type.safeParse(value)
  if (!parsed.success) throw invalid('has a field that is not what it should be')
  return parsed.data
}
