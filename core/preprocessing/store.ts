import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { CommitVector } from '../commitments/types.ts'
import { joinInPieces } from '../field/pieces.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { NodeId } from '../transport/types.ts'
import type {
  AuthShare,
  CheckMark,
  CommittedKind,
  Epoch,
  EpochRecord,
  InputMasks,
  InversePairs,
  MaterialChunk,
  MaterialKind,
  MaterialRecords,
  MaterialSink,
  MaterialSource,
  MaterialStore,
  Ranges,
  ReadyCommitments,
  Squares,
  Triples,
} from './types.ts'
import { MATERIAL_KINDS } from './types.ts'

/** Items of a row: what a claim that ends inside it has to write anew. */
const CHUNK = 4096

/** Vectors of one item's kind: shares and MACs in turn. */
const COMPONENTS: Readonly<Record<MaterialKind, number>> = {
  triple: 6,
  square: 4,
  inverse: 4,
  bit: 2,
  random: 2,
  mask: 2,
}

/** The store of types.ts over durable records. Epochs that the last process left in the middle of a MAC check are destroyed. */
export class ConsumeOnceStore implements MaterialStore, MaterialSink {
  readonly #field: PrimeField
  readonly #records: MaterialRecords
  /** MAC checks under way by epoch. */
  readonly #checks = new Map<string, number>()

  constructor(options: { field: PrimeField }, modules: { records: MaterialRecords }) {
    this.#field = options.field
    this.#records = modules.records
    for (const { id, checking } of this.live())
      if (checking) this.destroy(id, 'the node ended in the middle of a MAC check')
  }

  stock(epochId: string): Record<MaterialKind, number> {
    return this.#byKind(epochId, (lane) =>
      Math.max(0, this.#records.end(epochId, lane) - this.#records.mark(epochId, lane)),
    )
  }

  marks(epochId: string): Record<MaterialKind, number> {
    return this.#byKind(epochId, (lane) => this.#records.mark(epochId, lane))
  }

  /** Epochs that were not destroyed. */
  live(): readonly EpochRecord[] {
    return this.#records.epochs().filter((e) => e.destroyed === undefined)
  }

  find(parties: readonly NodeId[]): { epoch: Epoch; macKey: FieldVector } | undefined {
    const found = this.#records
      .epochs()
      .findLast(
        (e) =>
          e.destroyed === undefined &&
          e.parties.length === parties.length &&
          e.parties.every((id, i) => id === parties[i]),
      )
    if (found === undefined) return undefined
    const { id, index } = found
    return { epoch: { id, parties: found.parties, index }, macKey: this.#field.fromBytes(found.macKey) }
  }

  open(epoch: Epoch, macKey: FieldVector): void {
    const { id, parties, index } = epoch
    this.#records.addEpoch({ id, parties, index, macKey: this.#field.toBytes(macKey) })
  }

  destroy(epochId: string, reason: string): void {
    this.#records.destroy(epochId, reason)
  }

  checks(epochId: string): CheckMark {
    return {
      begin: () => {
        const others = this.#checks.get(epochId) ?? 0
        if (others === 0) this.#records.checking(epochId, true)
        this.#checks.set(epochId, others + 1)
      },
      pass: () => {
        const others = (this.#checks.get(epochId) ?? 1) - 1
        this.#checks.set(epochId, others)
        if (others === 0) this.#records.checking(epochId, false)
      },
    }
  }

  async append(
    epochId: string,
    kind: MaterialKind,
    vectors: readonly FieldVector[],
    owner?: number,
  ): Promise<void> {
    const epoch = this.#epoch(epochId)
    const expected = COMPONENTS[kind] + (kind === 'mask' && owner === epoch.index ? 1 : 0)
    const length = vectors[0]?.length ?? 0
    if (vectors.length !== expected || vectors.some((v) => v.length !== length))
      throw new EnigmaError('LENGTH_MISMATCH', `${kind}: ${vectors.length} vectors instead of ${expected}`)
    const lane = laneOf(kind, owner)
    for (let at = 0; at < length; at += CHUNK) {
      await turn()
      const count = Math.min(CHUNK, length - at)
      const components = vectors.map((v) => {
        const piece = this.#field.slice(v, at, at + count)
        const bytes = this.#field.toBytes(piece)
        piece.free()
        return bytes
      })
      this.#records.append(epochId, lane, { start: this.#records.end(epochId, lane), count, components })
      wipe(...components)
    }
  }

  /** Unclaimed items with commitments. */
  committed(epochId: string, kind: CommittedKind): number {
    return this.#records.committed(epochId, laneOf(kind))
  }

  /**
   * Commits to the shares of one row of items: the first without commitments among the `items` that jobs take next. They stay
   * with the items, and go with them. False when all have some, or the signal fires. Throws the codes of `commit`.
   */
  async commitAhead(
    epochId: string,
    kind: CommittedKind,
    items: number,
    commit: CommitVector,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const lane = laneOf(kind)
    const chunk = this.#records.uncommitted(epochId, lane, this.#records.mark(epochId, lane) + items)
    if (chunk === undefined) return false
    const field = this.#field
    const masks: Uint8Array[] = []
    const points: Uint8Array[] = []
    try {
      // Shares and MACs in turn.
      for (const bytes of chunk.components.filter((_, k) => k % 2 === 0)) {
        if (signal?.aborted) return false
        const [values, blinding] = [field.fromBytes(bytes), field.random(chunk.count)]
        masks.push(field.toBytes(blinding))
        try {
          // Without the signal, which would end the thread that a job is about to use.
          points.push(await commit(values, blinding))
        } finally {
          values.free()
          blinding.free()
        }
      }
      this.#records.commit(epochId, lane, chunk, { masks, points })
      return true
    } finally {
      wipe(...chunk.components, ...masks)
    }
  }

  async claim(epochId: string, jobId: string, ranges: Ranges): Promise<MaterialSource> {
    const record = this.#epoch(epochId)
    const lanes = MATERIAL_KINDS.flatMap((kind) => {
      const range = ranges[kind]
      if (range === undefined || range.count === 0) return []
      if (
        !Number.isSafeInteger(range.from) ||
        !Number.isSafeInteger(range.count) ||
        range.from < 0 ||
        range.count < 0
      )
        throw new EnigmaError('INVALID_ARGUMENT', `${kind}: not a range`)
      return lanesOf(kind, record.parties.length).map((lane) => ({ lane, ...range }))
    })
    const macKey = this.#field.fromBytes(record.macKey)
    this.#records.claim(epochId, jobId, lanes)
    const taken = new Map<string, MaterialChunk[]>()
    for (const { lane, from, count } of lanes) {
      const chunks: MaterialChunk[] = []
      for (let at = from; at < from + count; ) {
        await turn()
        const chunk = this.#records.take(epochId, lane, at, from + count)
        if (chunk === undefined) {
          this.#epoch(epochId)
          throw new EnigmaError('STORAGE_CORRUPT', `${lane}: items from ${at} on are missing`)
        }
        chunks.push(chunk)
        at = chunk.start + chunk.count
      }
      taken.set(lane, chunks)
    }
    return new ClaimedMaterial(
      this.#field,
      { id: record.id, parties: record.parties, index: record.index },
      macKey,
      taken,
      this.checks(epochId),
      (reason) => this.destroy(epochId, reason),
    )
  }

  #epoch(epochId: string) {
    const record = this.#records.epochs().find((e) => e.id === epochId)
    if (record === undefined) throw new EnigmaError('NOT_FOUND', `no epoch ${epochId} in this store`)
    if (record.destroyed !== undefined)
      throw new EnigmaError(
        'MATERIAL_DESTROYED',
        `the material of the epoch was destroyed: ${record.destroyed}`,
      )
    return record
  }

  #byKind(epochId: string, of: (lane: string) => number): Record<MaterialKind, number> {
    const { parties } = this.#epoch(epochId)
    return Object.fromEntries(
      MATERIAL_KINDS.map((kind) => [kind, Math.min(...lanesOf(kind, parties.length).map(of))]),
    ) as Record<MaterialKind, number>
  }
}

function laneOf(kind: MaterialKind, owner?: number): string {
  return kind === 'mask' ? `mask/${owner}` : kind
}

function lanesOf(kind: MaterialKind, parties: number): string[] {
  return kind === 'mask' ? Array.from({ length: parties }, (_, i) => laneOf(kind, i)) : [kind]
}

/** What one job took out of the store; each item is handed out once. */
class ClaimedMaterial implements MaterialSource {
  readonly epoch: Epoch
  readonly macKey: FieldVector
  readonly checks: CheckMark
  readonly #field: PrimeField
  readonly #lanes: Map<string, { chunks: MaterialChunk[]; used: number }>
  readonly #erase: (reason: string) => void
  #destroyed = false

  constructor(
    field: PrimeField,
    epoch: Epoch,
    macKey: FieldVector,
    taken: ReadonlyMap<string, MaterialChunk[]>,
    checks: CheckMark,
    erase: (reason: string) => void,
  ) {
    this.#field = field
    this.epoch = epoch
    this.macKey = macKey
    this.checks = checks
    this.#lanes = new Map([...taken].map(([lane, chunks]) => [lane, { chunks: [...chunks], used: 0 }]))
    this.#erase = erase
  }

  async triples(count: number): Promise<Triples> {
    const [a, b, c] = await this.#shares('triple', count)
    return { a: a!, b: b!, c: c! }
  }

  async squares(count: number): Promise<Squares> {
    const [a, c] = await this.#shares('square', count)
    return { a: a!, c: c! }
  }

  async inverses(count: number): Promise<InversePairs> {
    const [a, inverse] = await this.#shares('inverse', count)
    return { a: a!, inverse: inverse! }
  }

  async bits(count: number): Promise<AuthShare> {
    const [bits] = await this.#shares('bit', count)
    return bits!
  }

  async randoms(count: number): Promise<AuthShare> {
    const [randoms] = await this.#shares('random', count)
    return randoms!
  }

  async masks(owner: number, count: number): Promise<InputMasks> {
    const vectors = await this.#take(
      laneOf('mask', owner),
      count,
      COMPONENTS.mask + (owner === this.epoch.index ? 1 : 0),
    )
    const [share, mac, clear] = vectors
    return { shares: { share: share!, mac: mac! }, ...(clear === undefined ? {} : { clear }) }
  }

  ready(kind: CommittedKind, count: number): readonly ReadyCommitments[] {
    const { chunks, used } = this.#lanes.get(laneOf(kind)) ?? { chunks: [], used: 0 }
    const found: ReadyCommitments[] = []
    let from = 0
    for (const [k, chunk] of chunks.entries()) {
      const begin = k === 0 ? used : 0
      const size = Math.min(chunk.count - begin, count - from)
      if (size <= 0) break
      const { commitments } = chunk
      if (commitments !== undefined) {
        const cut = (vectors: readonly Uint8Array[]) =>
          vectors.map((bytes) => {
            const width = bytes.length / chunk.count
            // A copy: what is taken is wiped. (`slice` of a Buffer is none.)
            return new Uint8Array(bytes.subarray(begin * width, (begin + size) * width))
          })
        found.push({ from, count: size, masks: cut(commitments.masks), points: cut(commitments.points) })
      }
      from += size
    }
    return found
  }

  async destroy(reason: string): Promise<void> {
    this.#destroyed = true
    for (const { chunks } of this.#lanes.values())
      for (const { components, commitments } of chunks) wipe(...components, ...(commitments?.masks ?? []))
    this.#lanes.clear()
    this.macKey.free()
    this.#erase(reason)
  }

  async #shares(kind: MaterialKind, count: number): Promise<AuthShare[]> {
    const vectors = await this.#take(laneOf(kind), count, COMPONENTS[kind])
    return Array.from({ length: vectors.length / 2 }, (_, k) => ({
      share: vectors[2 * k]!,
      mac: vectors[2 * k + 1]!,
    }))
  }

  async #take(lane: string, count: number, components: number): Promise<FieldVector[]> {
    this.#requireMaterial()
    const width = this.#field.byteLength
    const taken: { chunk: MaterialChunk; from: number; to: number }[] = []
    const state = this.#lanes.get(lane)
    // What is taken is settled before anybody else has a turn.
    for (let missing = count; missing > 0; ) {
      const chunk = state?.chunks[0]
      if (state === undefined || chunk === undefined)
        throw new EnigmaError('MATERIAL_EXHAUSTED', `the job reserved too few items of ${lane}`)
      const from = state.used
      const to = Math.min(chunk.count, from + missing)
      taken.push({ chunk, from, to })
      missing -= to - from
      state.used = to
      if (to === chunk.count) {
        state.chunks.shift()
        state.used = 0
      }
    }
    const parts: FieldVector[][] = Array.from({ length: components }, () => [])
    for (const { chunk, from, to } of taken) {
      await turn()
      if (this.#destroyed) wipe(...taken.flatMap((t) => t.chunk.components))
      this.#requireMaterial()
      for (const [k, bytes] of chunk.components.entries()) {
        const piece = bytes.subarray(from * width, to * width)
        parts[k]?.push(this.#field.fromBytes(piece))
        piece.fill(0)
      }
      for (const masks of chunk.commitments?.masks ?? []) masks.fill(0, from * width, to * width)
    }
    const vectors: FieldVector[] = []
    for (const pieces of parts)
      vectors.push(pieces.length === 0 ? this.#field.zeros(0) : await joinInPieces(this.#field, pieces))
    return vectors
  }

  #requireMaterial(): void {
    if (this.#destroyed)
      throw new EnigmaError('MATERIAL_DESTROYED', 'the material of the epoch was destroyed')
  }
}
