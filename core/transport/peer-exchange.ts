import { decode, encode } from 'cborg'
import { EnigmaError } from '../base/errors.ts'
import { second } from '../base/units.ts'
import { isNodeId } from './node-id.ts'
import type { NodeId, Transport } from './types.ts'

const PROTOCOL = 'peers/1'
const MAX_ASKED = 8
const MAX_ADDRESSES = 8

/** Asks connected nodes where another node is. Answers are hints that the Noise handshake checks. */
export class PeerExchange {
  readonly #transport: Transport

  constructor(transport: Transport, known: (node: NodeId) => Promise<string[]>) {
    this.#transport = transport
    transport.handle(PROTOCOL, async (_, payload) => {
      const node = strictDecode(payload)
      if (!isNodeId(node)) throw new EnigmaError('FRAME_INVALID', 'not a node id')
      return encode((await known(node)).slice(0, MAX_ADDRESSES))
    })
  }

  /** Addresses of `node`, from the first connected peer that knows any. */
  async find(node: NodeId, connected: readonly NodeId[]): Promise<string[]> {
    const asked = connected.filter((p) => p !== node).slice(0, MAX_ASKED)
    if (asked.length === 0) return []
    const payload = encode(node)
    try {
      return await Promise.any(
        asked.map(async (peer) => {
          const answer = strictDecode(
            await this.#transport.request(peer, PROTOCOL, payload, { timeoutMs: 3 * second }),
          )
          if (!Array.isArray(answer)) throw new EnigmaError('FRAME_INVALID', 'not a list')
          const addresses = answer.filter((a): a is string => typeof a === 'string' && a.length <= 512)
          if (addresses.length === 0) throw new EnigmaError('NOT_FOUND', 'not known there')
          return addresses.slice(0, MAX_ADDRESSES)
        }),
      )
    } catch {
      return []
    }
  }
}

function strictDecode(bytes: Uint8Array): unknown {
  if (bytes.length > 8192) throw new EnigmaError('FRAME_TOO_LARGE', 'peer exchange')
  try {
    return decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false })
  } catch {
    throw new EnigmaError('FRAME_INVALID', 'peer exchange')
  }
}
