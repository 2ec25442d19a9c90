import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { EnigmaError } from '../base/errors.ts'
import { nodeIdFromPeerId, parseAddress } from './peer-id.ts'
import type { NodeId } from './types.ts'

const MAX_NODES = 10_000
const MAX_ADDRESSES = 8

interface Entry {
  peer: PeerId | undefined
  addresses: Map<string, Multiaddr>
}

/**
 * Where nodes may be found. Entries are hints: whoever answers is authenticated by the Noise handshake, so a
 * wrong hint costs a failed dial and nothing else.
 */
export class AddressBook {
  readonly #entries = new Map<NodeId, Entry>()

  /** The node ids of the addresses' owners; throws INVALID_ARGUMENT when an address names another node. */
  add(addresses: readonly string[], node?: NodeId): NodeId | undefined {
    let owner = node
    for (const text of addresses) {
      const { address, peer } = parseAddress(text)
      const named = peer && nodeIdFromPeerId(peer)
      if (owner && named && named !== owner)
        throw new EnigmaError('INVALID_ARGUMENT', `address ${text} belongs to node ${named}, not to ${owner}`)
      owner ??= named
      if (!owner)
        throw new EnigmaError('INVALID_ARGUMENT', `address ${text} names no node with a secp256k1 key`)
      const entry = this.#entry(owner)
      if (peer && named) entry.peer = peer
      entry.addresses.delete(text)
      entry.addresses.set(text, address)
      const oldest = entry.addresses.keys().next().value
      if (entry.addresses.size > MAX_ADDRESSES && oldest !== undefined) entry.addresses.delete(oldest)
    }
    return owner
  }

  learn(node: NodeId, peer: PeerId): void {
    this.#entry(node).peer = peer
  }

  peer(node: NodeId): PeerId | undefined {
    return this.#entries.get(node)?.peer
  }

  addresses(node: NodeId): Multiaddr[] {
    return [...(this.#entries.get(node)?.addresses.values() ?? [])].reverse()
  }

  #entry(node: NodeId): Entry {
    let entry = this.#entries.get(node)
    if (!entry) {
      entry = { peer: undefined, addresses: new Map() }
      this.#entries.set(node, entry)
      const oldest = this.#entries.keys().next().value
      if (this.#entries.size > MAX_NODES && oldest !== undefined) this.#entries.delete(oldest)
    }
    return entry
  }
}
