import type { FieldVector } from '../field/types.ts'
import type { NodeId } from '../transport/types.ts'

/**
 * One party's part of an authenticated vector ⟨x⟩: the shares of all parties add up to x, their MACs to α·x
 * (Damgård et al., eprint 2012/642). A public constant is added by party 0 to its share, by each party as
 * α_i·constant to its MAC.
 */
export interface AuthShare {
  readonly share: FieldVector
  readonly mac: FieldVector
}

/** c = a·b, element by element. */
export interface Triples {
  readonly a: AuthShare
  readonly b: AuthShare
  readonly c: AuthShare
}

/** c = a². */
export interface Squares {
  readonly a: AuthShare
  readonly c: AuthShare
}

/** inverse = a⁻¹, a ≠ 0. */
export interface InversePairs {
  readonly a: AuthShare
  readonly inverse: AuthShare
}

/** Random values that one party, and nobody else, knows. */
export interface InputMasks {
  readonly shares: AuthShare
  /** Only at the owner. */
  readonly clear?: FieldVector
}

export const MATERIAL_KINDS = ['triple', 'square', 'inverse', 'bit', 'random', 'mask'] as const
export type MaterialKind = (typeof MATERIAL_KINDS)[number]

/** What audited runs commit to, share by share (core/audit). */
export const COMMITTED_KINDS = ['triple', 'bit', 'random'] as const satisfies readonly MaterialKind[]
export type CommittedKind = (typeof COMMITTED_KINDS)[number]

/**
 * Pedersen commitments to the shares of some items, made before anybody needs them: for each share of an item (a, b and c of
 * a triple) a vector of masks, 32 bytes an item, secret like the shares, and one of points, 64 bytes an item.
 */
export interface Commitments {
  readonly masks: readonly Uint8Array[]
  readonly points: readonly Uint8Array[]
}

/** Commitments to `count` items, the first of which is item `from` of those that are handed out next. */
export type ReadyCommitments = Commitments & { readonly from: number; readonly count: number }

/** Items of each kind; `mask` counts those of every owner alike. */
export type Amounts = Readonly<Partial<Record<MaterialKind, number>>>

/** The first item of a kind that a job uses; all parties of a job use the same ranges. */
export type Ranges = Readonly<
  Partial<Record<MaterialKind, { readonly from: number; readonly count: number }>>
>

/** A committee with its own MAC key; all material belongs to one epoch. */
export interface Epoch {
  /** 32 bytes, hex: the committee, in party order, and the nonces of all parties. */
  readonly id: string
  /** Party i of every job of the epoch is parties[i]. */
  readonly parties: readonly NodeId[]
  /** 0-based position of this node. */
  readonly index: number
}

/**
 * Note of a MAC check under way. Whoever dies after it has parted with its summand cannot know what the others made of it:
 * a store that is opened with such a note destroys the epoch.
 */
export interface CheckMark {
  /** Durable when it returns. Checks of one epoch may overlap: each begins and passes. */
  begin(): void
  /** The check passed. After one that did not, the epoch is destroyed instead. */
  pass(): void
}

/**
 * What one job may consume. Ranges have been recorded as used, durably, before the source exists; each item is
 * handed out once. Throws MATERIAL_EXHAUSTED when the job takes more than it reserved, MATERIAL_DESTROYED
 * after an abort of the epoch. Vectors belong to the caller.
 */
export interface MaterialSource {
  readonly epoch: Epoch
  /** This party's share α_i of the MAC key, length 1. Owned by the source. */
  readonly macKey: FieldVector
  triples(count: number): Promise<Triples>
  squares(count: number): Promise<Squares>
  inverses(count: number): Promise<InversePairs>
  bits(count: number): Promise<AuthShare>
  randoms(count: number): Promise<AuthShare>
  masks(owner: number, count: number): Promise<InputMasks>
  /** Commitments made ahead to the next `count` items of a kind, as far as there are any, in order. They go with the items. */
  ready?(kind: CommittedKind, count: number): readonly ReadyCommitments[]
  readonly checks: CheckMark
  /** A MAC check failed or a party cheated: α and everything authenticated under it is erased, durably. */
  destroy(reason: string): Promise<void>
}

/**
 * The consume-once store of one node. Making material and consuming it are separate interfaces: the generator
 * appends, jobs claim. Items of a kind are numbered from 0 over the life of an epoch, and a mark says up to where they have
 * been claimed: it never goes back, and nothing below it is handed out again.
 */
export interface MaterialStore {
  /** Items of each kind that are there and not claimed. */
  stock(epochId: string): Record<MaterialKind, number>
  /** Where the next claims begin at this node. A committee starts from the highest of all members' marks. */
  marks(epochId: string): Record<MaterialKind, number>
  /**
   * Records durably that `jobId` uses these ranges, then hands them out. MATERIAL_USED when a range begins below the
   * mark, MATERIAL_EXHAUSTED when items are not there, MATERIAL_DESTROYED, NOT_FOUND. Items that a range jumps over are
   * lost.
   */
  claim(epochId: string, jobId: string, ranges: Ranges): Promise<MaterialSource>
  /** The newest epoch of a committee, in party order, that was not destroyed. */
  find(parties: readonly NodeId[]): { epoch: Epoch; macKey: FieldVector } | undefined
  /** For MAC checks under the key of an epoch. */
  checks(epochId: string): CheckMark
  /** Erases MAC key and material, durably. Repeatable. */
  destroy(epochId: string, reason: string): void
}

/** The generator's side of the store. */
export interface MaterialSink {
  /** MATERIAL_USED when the epoch exists. */
  open(epoch: Epoch, macKey: FieldVector): void
  /** Appends items; `owner` for masks, in party order, with the clear values at the owner. */
  append(epochId: string, kind: MaterialKind, vectors: readonly FieldVector[], owner?: number): Promise<void>
}

/** Material as bytes on disk, by lane: a kind, or `mask/0`, `mask/1` … for the masks of each owner. */
export interface MaterialRecords {
  epochs(): readonly EpochRecord[]
  addEpoch(record: EpochRecord): void
  /** Sets, durably, or clears the note of a MAC check under way. What was cleared may be set again after a power failure. */
  checking(epochId: string, underWay: boolean): void
  /** Erases key and material. */
  destroy(epochId: string, reason: string): void
  /** Items from the start of the epoch, claimed or not. */
  end(epochId: string, lane: string): number
  mark(epochId: string, lane: string): number
  /** Items that are there with commitments. */
  committed(epochId: string, lane: string): number
  /** The first chunk without commitments, when it begins before item `below`. */
  uncommitted(epochId: string, lane: string, below: number): MaterialChunk | undefined
  /** Puts commitments beside a chunk; false when that was claimed or destroyed in the meantime, in part or whole. */
  commit(epochId: string, lane: string, chunk: MaterialChunk, commitments: Commitments): boolean
  append(epochId: string, lane: string, chunk: MaterialChunk): void
  /**
   * In one durable step: moves the marks of all lanes up, so that the ranges, and what is below them, can be claimed by nobody
   * else. MATERIAL_USED, MATERIAL_EXHAUSTED.
   */
  claim(
    epochId: string,
    jobId: string,
    ranges: readonly { readonly lane: string; readonly from: number; readonly count: number }[],
  ): void
  /** Takes out the next chunk of claimed items, all of which are in from…to; undefined when there are no more. */
  take(epochId: string, lane: string, from: number, to: number): MaterialChunk | undefined
}

export interface EpochRecord {
  readonly id: string
  readonly parties: readonly NodeId[]
  readonly index: number
  /** Empty once destroyed. */
  readonly macKey: Uint8Array
  readonly checking?: boolean
  readonly destroyed?: string
}

/** `count` items from number `start` on: one vector a component, encoded, in the order of the kind. */
export interface MaterialChunk {
  readonly start: number
  readonly count: number
  readonly components: readonly Uint8Array[]
  /** Of exactly these components: what was damaged on the disk since has none. */
  readonly commitments?: Commitments
}
