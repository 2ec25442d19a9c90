import { EnigmaError } from '../base/errors.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { NodeId } from '../transport/types.ts'
import type {
  AuthShare,
  CheckMark,
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

  append(epochId: string, kind: MaterialKind, vectors: readonly FieldVector[], owner?: number): void {
    const epoch = this.#epoch(epochId)
    const expected = COMPONENTS[kind] + (kind === 'mask' && owner === epoch.index ? 1 : 0)
    const length = vectors[0]?.length ?? 0
    if (vectors.length !== expected || vectors.some((v) => v.length !== length))
      throw new EnigmaError('LENGTH_MISMATCH', `${kind}: ${vectors.length} vectors instead of ${expected}`)
    const lane = laneOf(kind, owner)
    const width = this.#field.byteLength
    const bytes = vectors.map((v) => this.#field.toBytes(v))
    for (let at = 0; at < length; at += CHUNK) {
      const count = Math.min(CHUNK, length - at)
      this.#records.append(epochId, lane, {
        start: this.#records.end(epochId, lane),
        count,
        components: bytes.map((b) => b.subarray(at * width, (at + count) * width)),
      })
    }
  }

  claim(epochId: string, jobId: string, ranges: Ranges): MaterialSource {
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
    const taken = this.#records.claim(epochId, jobId, lanes)
    return new ClaimedMaterial(
      this.#field,
      { id: record.id, parties: record.parties, index: record.index },
      this.#field.fromBytes(record.macKey),
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
    const [a, b, c] = this.#shares('triple', count)
    return { a: a!, b: b!, c: c! }
  }

  async squares(count: number): Promise<Squares> {
    const [a, c] = this.#shares('square', count)
    return { a: a!, c: c! }
  }

  async inverses(count: number): Promise<InversePairs> {
    const [a, inverse] = this.#shares('inverse', count)
    return { a: a!, inverse: inverse! }
  }

  async bits(count: number): Promise<AuthShare> {
    return this.#shares('bit', count)[0]!
  }

  async randoms(count: number): Promise<AuthShare> {
    return this.#shares('random', count)[0]!
  }

  async masks(owner: number, count: number): Promise<InputMasks> {
    const vectors = this.#take(
      laneOf('mask', owner),
      count,
      COMPONENTS.mask + (owner === this.epoch.index ? 1 : 0),
    )
    const [share, mac, clear] = vectors
    return { shares: { share: share!, mac: mac! }, ...(clear === undefined ? {} : { clear }) }
  }

  async destroy(reason: string): Promise<void> {
    this.#destroyed = true
    for (const { chunks } of this.#lanes.values())
      for (const { components } of chunks) for (const bytes of components) bytes.fill(0)
    this.#lanes.clear()
    this.macKey.free()
    this.#erase(reason)
  }

  #shares(kind: MaterialKind, count: number): AuthShare[] {
    const vectors = this.#take(laneOf(kind), count, COMPONENTS[kind])
    return Array.from({ length: vectors.length / 2 }, (_, k) => ({
      share: vectors[2 * k]!,
      mac: vectors[2 * k + 1]!,
    }))
  }

  #take(lane: string, count: number, components: number): FieldVector[] {
    if (this.#destroyed)
      throw new EnigmaError('MATERIAL_DESTROYED', 'the material of the epoch was destroyed')
    const width = this.#field.byteLength
    const parts: FieldVector[][] = Array.from({ length: components }, () => [])
    const state = this.#lanes.get(lane)
    let missing = count
    while (missing > 0) {
      const chunk = state?.chunks[0]
      if (state === undefined || chunk === undefined)
        throw new EnigmaError('MATERIAL_EXHAUSTED', `the job reserved too few items of ${lane}`)
      const size = Math.min(missing, chunk.count - state.used)
      for (const [k, bytes] of chunk.components.entries()) {
        const piece = bytes.subarray(state.used * width, (state.used + size) * width)
        parts[k]?.push(this.#field.fromBytes(piece))
        piece.fill(0)
      }
      state.used += size
      missing -= size
      if (state.used === chunk.count) {
        state.chunks.shift()
        state.used = 0
      }
    }
    return parts.map((pieces) => {
      const whole = this.#field.concat(pieces)
      for (const piece of pieces) piece.free()
      return whole
    })
  }
}
