import { fromHex, toHex } from '../../base/bytes.ts'
import { turn } from '../../base/turns.ts'
import type { ReferenceRecord } from '../../ledger/types.ts'

/** A reference, as far as it matters to a computation. */
export type Input = Pick<ReferenceRecord, 'ref' | 'n' | 't' | 'length' | 'commitmentsDigest'>

/** The reference and the digest of its commitments, 32 bytes each; n, t and length, 4 bytes big-endian each. */
const INPUT_BYTES = 76

/** The references of a job in one piece, in their order: what a thread is told of thousands is no more work than of a few. */
export async function packReferences(references: readonly Input[]): Promise<Uint8Array> {
  const packed = new Uint8Array(references.length * INPUT_BYTES)
  const view = new DataView(packed.buffer)
  for (const [i, { ref, n, t, length, commitmentsDigest }] of references.entries()) {
    await turn()
    const at = i * INPUT_BYTES
    packed.set(fromHex(ref, 32), at)
    packed.set(fromHex(commitmentsDigest, 32), at + 32)
    for (const [k, number] of [n, t, length].entries()) view.setUint32(at + 64 + 4 * k, number)
  }
  return packed
}

/** Inverse of `packReferences`. */
export function unpackReferences(packed: Uint8Array): Input[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  return Array.from({ length: packed.length / INPUT_BYTES }, (_, i) => {
    const at = i * INPUT_BYTES
    return {
      ref: toHex(packed.subarray(at, at + 32)),
      commitmentsDigest: toHex(packed.subarray(at + 32, at + 64)),
      n: view.getUint32(at + 64),
      t: view.getUint32(at + 68),
      length: view.getUint32(at + 72),
    }
  })
}
