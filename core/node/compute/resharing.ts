import { toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { g1 } from '../../commitments/g1.ts'
import type { CommitmentVector } from '../../commitments/types.ts'
import { hashBytes } from '../../dht/cbor.ts'
import type { ShareRecord } from '../../dht/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import type { Hex } from '../../ledger/types.ts'
import {
  decodeCommitments,
  digestCommitments,
  encodeCommitments,
  freeCommitments,
} from '../../sharing/commitments.ts'
import { verifyConstants } from '../../sharing/reshare.ts'
import { lagrangeCoefficients } from '../../sharing/shamir.ts'
import type { CoefficientCommitments } from '../../sharing/types.ts'
import { deal, freeShare, verifyShare } from '../../sharing/vss.ts'
import type { NodeId } from '../../transport/types.ts'
import type { Message } from './messages.ts'
import type { Signed } from './pieces.ts'
import type { Input } from './references.ts'
import type { Source } from './sources.ts'

/** Frees each of several vectors. */
function free(...lists: (readonly { free(): void }[])[]): void {
  for (const list of lists) for (const vector of list) vector.free()
}

export interface DealtPieces {
  /** For member i + 1: its shares of all values, then of all masks, encoded. */
  values: Uint8Array[]
  masks: Uint8Array[]
  commitments: Uint8Array
  /** Of the commitments. */
  digest: Hex
}

/**
 * A holder's contribution to a job over many references at once (see core/sharing/reshare.ts): one dealing of
 * λ·s and λ·ρ for all of them, λ being the holder's Lagrange coefficient among the helpers of each reference.
 */
export async function dealPieces(
  inputs: readonly {
    readonly record: Pick<ShareRecord, 'index' | 'values' | 'masks'>
    readonly helpers: readonly number[]
  }[],
  n: number,
  t: number,
): Promise<DealtPieces> {
  const values: FieldVector[] = []
  const masks: FieldVector[] = []
  for (const { record, helpers } of inputs) {
    const lambda = lagrangeCoefficients(field, helpers)[helpers.indexOf(record.index)] as bigint
    const [value, mask] = [field.fromBytes(record.values), field.fromBytes(record.masks)]
    values.push(field.scale(value, lambda))
    masks.push(field.scale(mask, lambda))
    free([value, mask])
  }
  const [secrets, blinding] = [field.concat(values), field.concat(masks)]
  try {
    const dealing = await deal(secrets, { n, t }, { masks: blinding })
    const commitments = await encodeCommitments(dealing.commitments)
    const dealt = {
      values: dealing.shares.map((s) => field.toBytes(s.values)),
      masks: dealing.shares.map((s) => field.toBytes(s.masks)),
      commitments,
      digest: toHex(digestCommitments(commitments)),
    }
    dealing.shares.forEach(freeShare)
    freeCommitments(dealing.commitments)
    return dealt
  } finally {
    free([secrets, blinding], values, masks)
  }
}

/** One member's part of an additive sharing: Σ over the members is the inputs, and Σ commitments is C_0. */
export interface AdditiveInputs {
  values: FieldVector
  masks: FieldVector
  /** By member. */
  commitments: CommitmentVector[]
}

interface Arrived {
  values: FieldVector
  masks: FieldVector
  commitments: CoefficientCommitments
  digest: Hex
  signature: Uint8Array
}

export interface CollectorOptions {
  references: readonly Input[]
  sources: readonly Source[]
  /** This member's index, 1…n. */
  party: number
  n: number
  threshold: number
}

/** Collects a member's pieces from every holder of a plan, checks them, and adds them up to its input shares. */
export class InputCollector {
  readonly #options: CollectorOptions
  readonly #expected = new Map<NodeId, number[]>()
  readonly #arrived = new Map<NodeId, Arrived>()
  readonly #originals = new Map<Hex, CoefficientCommitments>()
  readonly #encodedOriginals = new Map<Hex, Uint8Array>()
  readonly #all = Promise.withResolvers<void>()
  #freed = false

  constructor(options: CollectorOptions) {
    this.#options = options
    options.sources.forEach((source, position) => {
      for (const { node } of source.helpers) {
        const positions = this.#expected.get(node)
        if (positions === undefined) this.#expected.set(node, [position])
        else positions.push(position)
      }
    })
    this.#all.promise.catch(() => undefined)
  }

  /** What the holders have signed, in the order of their names. */
  signed(): Signed[] {
    return [...this.#arrived]
      .map(([holder, { digest, signature }]) => ({ holder, commitments: digest, signature }))
      .sort((a, b) => (a.holder < b.holder ? -1 : 1))
  }

  /**
   * Takes a holder's piece; the caller has checked its signature of the digest of its commitments. PERMISSION_DENIED when none is
   * expected of it, SHARE_INVALID when it is ill-formed.
   */
  async add(from: NodeId, piece: Message<'piece'>, digest: Hex): Promise<void> {
    const positions = this.#expected.get(from)
    if (positions === undefined || this.#arrived.has(from))
      throw new EnigmaError('PERMISSION_DENIED', 'no piece of this holder is expected')
    const { sources, references, threshold } = this.#options
    const refs = positions.map((p) => (sources[p] as Source).ref)
    if (refs.length !== piece.refs.length || refs.some((ref, i) => ref !== piece.refs[i]))
      throw new EnigmaError('SHARE_INVALID', 'the piece is for other references')
    if (piece.originals.length !== refs.length)
      throw new EnigmaError('SHARE_INVALID', 'the piece lacks the dealers’ commitments')
    const length = positions.reduce((sum, p) => sum + (references[p] as Input).length, 0)
    for (const [i, position] of positions.entries()) {
      const source = sources[position] as Source
      if (source.helpers[0]?.node === from)
        this.#takeOriginal(
          source.ref,
          await this.#original(position, piece.originals[i] as Uint8Array),
          piece.originals[i] as Uint8Array,
        )
    }
    const commitments = await decodeCommitments(piece.commitments, { t: threshold, length })
    const [values, masks] = [field.fromBytes(piece.values), field.fromBytes(piece.masks)]
    if (values.length !== length || masks.length !== length || this.#arrived.has(from) || this.#freed) {
      free([values, masks])
      freeCommitments(commitments)
      throw new EnigmaError('SHARE_INVALID', 'the piece has another length than its references')
    }
    this.#arrived.set(from, { values, masks, commitments, digest, signature: piece.signature.slice() })
    if (this.#arrived.size === this.#expected.size) this.#all.resolve()
  }

  /**
   * Resolves with one input share a reference, once every piece is there and verified. SHARE_INVALID names a
   * holder (details.holder) whose piece does not fit the commitments on the ledger.
   */
  async complete(signal: AbortSignal): Promise<FieldVector[]> {
    const stop = () => this.#all.reject(new EnigmaError('CANCELLED', 'the attempt was aborted'))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      await this.#all.promise
    } finally {
      signal.removeEventListener('abort', stop)
    }
    for (const [holder, arrived] of this.#arrived)
      if (!(await this.#verify(holder, arrived, signal)))
        throw new EnigmaError('SHARE_INVALID', `the piece of holder ${holder} does not fit its commitments`, {
          details: { holder },
        })
    return this.#combine((a) => a.values)
  }

  /** The owners' commitments of every reference, encoded, in order. */
  originals(): Uint8Array[] {
    return this.#options.sources.map(({ ref }) => this.#encodedOriginals.get(ref) as Uint8Array)
  }

  #takeOriginal(ref: Hex, commitments: CoefficientCommitments, encoded: Uint8Array): void {
    this.#originals.set(ref, commitments)
    this.#encodedOriginals.set(ref, encoded.slice())
  }

  free(): void {
    this.#freed = true
    for (const { values, masks, commitments } of this.#arrived.values()) {
      free([values, masks])
      freeCommitments(commitments)
    }
    for (const original of this.#originals.values()) freeCommitments(original)
    this.#arrived.clear()
    this.#originals.clear()
    this.#encodedOriginals.clear()
  }

  async #original(position: number, bytes: Uint8Array): Promise<CoefficientCommitments> {
    const reference = this.#options.references[position] as Input
    if (hashBytes(bytes) !== reference.commitmentsDigest)
      throw new EnigmaError('SHARE_INVALID', `not the commitments that the ledger names for ${reference.ref}`)
    return decodeCommitments(bytes, { t: reference.t, length: reference.length })
  }

  async #verify(holder: NodeId, arrived: Arrived, signal: AbortSignal): Promise<boolean> {
    const { party, n, threshold, references, sources } = this.#options
    const share = { index: party, values: arrived.values, masks: arrived.masks }
    if (!(await verifyShare(share, arrived.commitments, { signal }))) return false
    // References with the same helpers, sender and degree are checked together: one random combination a group.
    const groups = new Map<string, { sender: number; from: number[]; refs: Hex[]; at: [number, number][] }>()
    let offset = 0
    for (const position of this.#expected.get(holder) as number[]) {
      const source = sources[position] as Source
      const reference = references[position] as Input
      const from = source.helpers.map((h) => h.index)
      const sender = source.helpers.find((h) => h.node === holder)?.index as number
      const key = `${reference.t}/${sender}/${from.join(',')}`
      const group = groups.get(key) ?? { sender, from, refs: [], at: [] }
      group.refs.push(source.ref)
      group.at.push([offset, offset + reference.length])
      groups.set(key, group)
      offset += reference.length
    }
    for (const { sender, from, refs, at } of groups.values()) {
      const source = join(refs.map((ref) => this.#originals.get(ref) as CoefficientCommitments))
      const contribution = pick(arrived.commitments, at)
      const valid = await verifyConstants(
        sender,
        contribution,
        source,
        { from, to: { n, t: threshold } },
        { signal },
      )
      freeCommitments(source)
      freeCommitments(contribution)
      if (!valid) return false
    }
    return true
  }

  /**
   * After `complete`, for a committee whose threshold is n − 1: this member's part of an additive sharing of all
   * inputs, one after the other, and every member's commitments to its part. A degree n − 1 sharing at the points
   * 1…n becomes additive with the Lagrange coefficients (−1)^(j−1)·C(n, j), which are small integers.
   */
  additive(): AdditiveInputs {
    const { party, n } = this.#options
    const values = this.#combine((a) => a.values)
    const masks = this.#combine((a) => a.masks)
    const rows = Array.from({ length: n }, (_, k) => this.#combineRow(k))
    const commitments = Array.from({ length: n }, (_, j) => {
      const at = evaluate(rows, j + 1)
      const scaled = scaleSmall(at, additiveCoefficient(n, j + 1))
      at.free()
      return scaled
    })
    const lambda = additiveCoefficient(n, party)
    const [value, mask] = [field.concat(values), field.concat(masks)]
    try {
      return { values: field.scale(value, lambda), masks: field.scale(mask, lambda), commitments }
    } finally {
      free(values, masks, rows, [value, mask])
    }
  }

  #combine(of: (arrived: Arrived) => FieldVector): FieldVector[] {
    return this.#each((holder, from, to) =>
      field.slice(of(this.#arrived.get(holder) as Arrived), from, to),
    ).map((slices) => {
      const sum = field.linear(
        slices.map(() => 1n),
        slices,
      )
      free(slices)
      return sum
    })
  }

  /** The commitments to the k-th coefficients of all inputs, summed over the holders. */
  #combineRow(k: number): CommitmentVector {
    const sums = this.#each((holder, from, to) =>
      g1.slice((this.#arrived.get(holder) as Arrived).commitments.points[k] as CommitmentVector, from, to),
    ).map((slices) => {
      const sum = slices.reduce((a, b) => g1.add(a, b))
      for (const slice of slices) if (slice !== sum) slice.free()
      return sum
    })
    const joined = g1.concat(sums)
    free(sums)
    return joined
  }

  /** For each source what `take` makes of every helper's range of its vectors. */
  #each<T>(take: (holder: NodeId, from: number, to: number) => T): T[][] {
    const { sources, references } = this.#options
    const offsets = new Map<NodeId, number>()
    return sources.map((source, position) => {
      const length = (references[position] as Input).length
      return source.helpers.map(({ node }) => {
        const at = offsets.get(node) ?? 0
        offsets.set(node, at + length)
        return take(node, at, at + length)
      })
    })
  }
}

/** λ_j at 0 for the points 1…n: (−1)^(j−1)·C(n, j). */
function additiveCoefficient(n: number, j: number): bigint {
  let binomial = 1
  for (let k = 1; k <= j; k++) binomial = (binomial * (n - k + 1)) / k
  return BigInt(j % 2 === 1 ? binomial : -binomial)
}

/** Σ_k index^k·rows[k]. */
function evaluate(rows: readonly CommitmentVector[], index: number): CommitmentVector {
  let sum = g1.slice(rows.at(-1) as CommitmentVector, 0, (rows[0] as CommitmentVector).length)
  for (let k = rows.length - 2; k >= 0; k--) {
    const scaled = g1.scale(sum, BigInt(index))
    sum.free()
    sum = g1.add(scaled, rows[k] as CommitmentVector)
    scaled.free()
  }
  return sum
}

/** factor·points, quick for small factors of either sign. */
function scaleSmall(points: CommitmentVector, factor: bigint): CommitmentVector {
  if (factor >= 0n) return g1.scale(points, factor)
  const scaled = g1.scale(points, -factor)
  const zero = g1.zeros(points.length)
  const negated = g1.sub(zero, scaled)
  free([scaled, zero])
  return negated
}

/** The commitments of several vectors, one after the other. All have the same degree. */
function join(all: readonly CoefficientCommitments[]): CoefficientCommitments {
  const t = (all[0] as CoefficientCommitments).t
  return {
    t,
    length: all.reduce((sum, c) => sum + c.length, 0),
    points: Array.from({ length: t + 1 }, (_, k) => g1.concat(all.map((c) => c.points[k]!))),
  }
}

/** The commitments of some ranges of a vector. */
function pick(c: CoefficientCommitments, ranges: readonly [number, number][]): CoefficientCommitments {
  return {
    t: c.t,
    length: ranges.reduce((sum, [from, to]) => sum + to - from, 0),
    points: c.points.map((row) => {
      const slices = ranges.map(([from, to]) => g1.slice(row, from, to))
      const joined = g1.concat(slices)
      free(slices)
      return joined
    }),
  }
}
