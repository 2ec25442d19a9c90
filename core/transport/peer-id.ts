import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { nodeIdFromPublicKey } from './node-id.ts'
import type { NodeId } from './types.ts'

/** Node ids by compressed key, and peers by name: to decompress a key takes a square root. */
const ids = new Map<string, NodeId>()
const peers = new Map<string, PeerId>()
const MAX_KNOWN = 4096

/** Node id of a peer id: its secp256k1 key travels inside it. Undefined for any other kind of key. */
export function nodeIdFromPeerId(peer: PeerId): NodeId | undefined {
  const key = peer.publicKey
  if (key?.type !== 'secp256k1') return undefined
  return remembered(ids, toHex(key.raw), () => nodeIdFromPublicKey(key.raw))
}

/** Parses an address such as /ip4/127.0.0.1/tcp/4001/p2p/16Uiu2…; throws INVALID_ARGUMENT. */
export function parseAddress(text: string): { address: Multiaddr; peer: PeerId | undefined } {
  try {
    if (text.length > 512) throw new Error('too long')
    const address = multiaddr(text)
    // The last /p2p part names the target; one before a /p2p-circuit names the relay.
    const parts = address.getComponents()
    const last = parts.at(-1)
    const name = last?.name === 'p2p' ? last.value : undefined
    return { address, peer: name ? remembered(peers, name, () => peerIdFromString(name)) : undefined }
  } catch (cause) {
    throw new EnigmaError('INVALID_ARGUMENT', `not a network address: ${text.slice(0, 80)}`, { cause })
  }
}

function remembered<T>(values: Map<string, T>, name: string, compute: () => T): T {
  const value = values.get(name) ?? compute()
  if (values.size >= MAX_KNOWN) values.clear()
  values.set(name, value)
  return value
}
