import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import type { Hex, ReferenceRecord } from '../../ledger/types.ts'
import type { NodeId } from '../../transport/types.ts'

const ID_BYTES = 20
/** Of a helper: the index of its share, then the position of its node, 2 bytes big-endian. */
const HELPER_BYTES = 3
const MAX_NODES = 2 ** 16

/** Which holders, by share index, feed a reference into a job: t + 1 of them. */
export interface Source {
  readonly ref: Hex
  readonly helpers: readonly { readonly index: number; readonly node: NodeId }[]
}

/**
 * The sources of all references of a job, in the order of its inputs, as a plan carries them: what the ledger says about the
 * references is left out, so that thousands take no longer to read than a few.
 */
export interface PackedSources {
  /** Every helper's id, 20 bytes each, in the order in which helpers name them first. */
  readonly nodes: Uint8Array
  /** The helpers of all references, 3 bytes each. */
  readonly helpers: Uint8Array
}

/** Inverse of `unpackSources`, for references in the order of the job's inputs. */
export function packSources(sources: readonly Source[]): PackedSources {
  const positions = new Map<NodeId, number>()
  const all = sources.flatMap((source) => source.helpers)
  const helpers = new Uint8Array(all.length * HELPER_BYTES)
  all.forEach(({ index, node }, i) => {
    const position = positions.get(node) ?? positions.size
    positions.set(node, position)
    helpers.set([index, position >> 8, position & 0xff], i * HELPER_BYTES)
  })
  if (positions.size > MAX_NODES)
    throw new EnigmaError('INVALID_ARGUMENT', `a job takes its inputs from at most ${MAX_NODES} nodes`)
  return { nodes: concatBytes(...[...positions.keys()].map((id) => fromHex(id, ID_BYTES))), helpers }
}

/** The sources that a plan names for a job's references. Throws PERMISSION_DENIED unless each has t + 1 different helpers. */
export async function unpackSources(
  { nodes, helpers }: PackedSources,
  references: readonly Pick<ReferenceRecord, 'ref' | 'n' | 't'>[],
): Promise<Source[]> {
  const refuse = (why: string) => new EnigmaError('PERMISSION_DENIED', `plan refused: ${why}`)
  const expected = references.reduce((sum, { t }) => sum + t + 1, 0)
  if (helpers.length !== expected * HELPER_BYTES || nodes.length % ID_BYTES !== 0)
    throw refuse('it does not name t + 1 helpers for each input')
  const ids = Array.from({ length: nodes.length / ID_BYTES }, (_, i) =>
    toHex(nodes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
  )
  let named = 0
  let at = 0
  const sources: Source[] = []
  for (const { ref, n, t } of references) {
    await turn()
    const of: { index: number; node: NodeId }[] = []
    for (let k = 0; k <= t; k++) {
      const index = helpers[at]!
      const position = helpers[at + 1]! * 256 + helpers[at + 2]!
      at += HELPER_BYTES
      const node = ids[position]
      if (node === undefined || position > named)
        throw refuse('a helper is not among its nodes in their order')
      if (position === named) named += 1
      if (index < 1 || index > n) throw refuse('a helper index is out of range')
      if (of.some((other) => other.index === index)) throw refuse('t + 1 different helpers are needed')
      of.push({ index, node })
    }
    sources.push({ ref, helpers: of })
  }
  if (named !== ids.length || new Set(ids).size !== ids.length)
    throw refuse('its nodes are not those of its helpers')
  return sources
}

/** Every node that a plan asks for its shares. */
export function holdersOf(sources: readonly Source[]): Set<NodeId> {
  return new Set(sources.flatMap(({ helpers }) => helpers.map(({ node }) => node)))
}
