import { toHex, utf8 } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { digestOf, hashBytes } from './cbor.ts'
import type { Address, DataRecord, Hash, Placement } from './types.ts'

/** Identifies one holder's record, its bulk included. */
export function recordDigest(record: DataRecord): Hash {
  switch (record.kind) {
    case 'share':
      return toHex(
        digestOf('enigma/dht/share/1', [
          record.key,
          record.index,
          record.owner,
          record.n,
          record.t,
          record.length,
          hashBytes(record.values),
          hashBytes(record.masks),
          hashBytes(record.commitments),
        ]),
      ) as Hash
    case 'encrypted':
      return toHex(
        digestOf('enigma/dht/encrypted/1', [record.key, record.owner, hashBytes(record.ciphertext)]),
      ) as Hash
    case 'public':
      return toHex(digestOf('enigma/dht/public/1', [record.key, record.owner])) as Hash
  }
}

/**
 * What all holders' parts of one datum have in common, and what the reference on the ledger carries: SHA-256 of
 * the commitments, of the ciphertext, of the data.
 */
export function contentDigest(record: DataRecord): Hash {
  switch (record.kind) {
    case 'share':
      return hashBytes(record.commitments)
    case 'encrypted':
      return hashBytes(record.ciphertext)
    case 'public':
      return hashBytes(record.data)
  }
}

/** `content` of the authorization to commit: binds the list of holders to the content. */
export function placementDigest(content: Hash, placements: readonly Placement[]): Hash {
  const sorted = [...placements]
    .sort((a, b) => a.index - b.index || (a.holder < b.holder ? -1 : 1))
    .map((p) => [p.index, p.holder])
  return toHex(digestOf('enigma/dht/placements/1', [content, sorted])) as Hash
}

/** Key of an encrypted record: bound to its owner and content, so it cannot be squatted or swapped. */
export function encryptedKey(owner: Address, ciphertext: Uint8Array): Hash {
  return hashBytes(utf8('enigma/dht/encrypted-key/1'), encodeCanonical(owner), ciphertext)
}

/** Key of a public record. */
export function publicKey(data: Uint8Array): Hash {
  return hashBytes(data)
}

/** Throws RECORD_INVALID when the key of an encrypted or public record is not that of its content. */
export function checkKey(record: DataRecord): void {
  const expected =
    record.kind === 'encrypted'
      ? encryptedKey(record.owner, record.ciphertext)
      : record.kind === 'public'
        ? publicKey(record.data)
        : record.key
  if (expected !== record.key)
    throw new EnigmaError('RECORD_INVALID', `the ${record.kind} record ${record.key} has other content`)
}
