import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { nodeIdFromPublicKey } from '../transport/node-id.ts'
import type { NodeId } from '../transport/types.ts'
import { digestOf } from './cbor.ts'
import { AUTHORIZATION_WINDOW } from './constants.ts'
import type { Authorization, Hash, OwnerSigner, Receipt, ReleaseRequest } from './types.ts'

/** The 32 bytes an owner signs. */
export function authorizationDigest(a: Omit<Authorization, 'signature'>): Uint8Array {
  return digestOf('enigma/dht/authorization/1', [
    a.action,
    a.kind,
    a.key,
    a.content,
    a.owner,
    a.signer,
    a.time,
  ])
}

export async function authorize(
  signer: OwnerSigner,
  fields: Pick<Authorization, 'action' | 'kind' | 'key' | 'content' | 'time'>,
): Promise<Authorization> {
  const unsigned = { ...fields, owner: signer.owner, signer: signer.signer }
  return { ...unsigned, signature: await signer.sign(authorizationDigest(unsigned)) }
}

/** The 32 bytes a requester signs. */
export function releaseDigest(r: Omit<ReleaseRequest, 'signature'>): Uint8Array {
  return digestOf('enigma/dht/release/1', [
    r.kind,
    r.key,
    r.requester,
    r.holder,
    r.via,
    r.purpose,
    r.time,
    r.nonce,
  ])
}

export async function signRelease(
  signer: Pick<OwnerSigner, 'signer' | 'sign'>,
  fields: Omit<ReleaseRequest, 'signature' | 'nonce' | 'requester'>,
): Promise<ReleaseRequest> {
  const unsigned = { ...fields, requester: signer.signer, nonce: toHex(randomBytes(32)) as Hash }
  return { ...unsigned, signature: await signer.sign(releaseDigest(unsigned)) }
}

/** The 32 bytes a holder signs. */
export function receiptDigest(r: Omit<Receipt, 'signature'>): Uint8Array {
  return digestOf('enigma/dht/receipt/1', [
    r.kind,
    r.key,
    r.index,
    r.digest,
    r.owner,
    r.state,
    r.holder,
    r.time,
  ])
}

/** Address that made a 65-byte signature r‖s‖v over a 32-byte digest; undefined if none (high s included, EIP-2). */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): NodeId | undefined {
  const v = signature[64]
  if (signature.length !== 65 || v === undefined || v < 27 || v > 28) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (parsed.hasHighS()) return undefined
    return nodeIdFromPublicKey(
      parsed
        .addRecoveryBit(v - 27)
        .recoverPublicKey(digest)
        .toBytes(false),
    )
  } catch {
    return undefined
  }
}

/** Throws RECORD_INVALID unless the receipt is signed by the node it names and says what was expected. */
export function verifyReceipt(
  receipt: Receipt,
  expected: Partial<Pick<Receipt, 'kind' | 'key' | 'index' | 'digest' | 'owner' | 'holder' | 'state'>> = {},
): void {
  for (const [name, value] of Object.entries(expected))
    if (receipt[name as keyof typeof expected] !== value)
      throw new EnigmaError('RECORD_INVALID', `a receipt of node ${receipt.holder} has another ${name}`)
  if (recoverSigner(receiptDigest(receipt), receipt.signature) !== receipt.holder)
    throw new EnigmaError('RECORD_INVALID', `a receipt is not signed by node ${receipt.holder}`)
}

/** Throws PERMISSION_DENIED when a signed time is too far from now, either way. */
export function checkFresh(time: number, now: number): void {
  if (Math.abs(now - time) > AUTHORIZATION_WINDOW)
    throw new EnigmaError('PERMISSION_DENIED', 'the request was signed at another time', {
      remedy: 'Check the clock of this machine.',
    })
}
