import type { FieldVector, PrimeField } from '../field/types.ts'

/** Position of a node in `Circuit.nodes`; operands always point backwards, so the list is in evaluation order. */
export type NodeRef = number

/**
 * One instruction of a vectorised arithmetic program. Every node yields one vector whose length follows from
 * its operands. `input`, `bits` and `random` are secret; `param`, `const` and `open` are public; everything else is
 * public when all its operands are, else secret. Element-wise operations want equal lengths; a scalar is stretched
 * by `broadcast`.
 */
export type Node =
  | { readonly op: 'input'; readonly slot: number; readonly length: number }
  | { readonly op: 'param'; readonly slot: number; readonly length: number }
  | { readonly op: 'const'; readonly values: readonly bigint[] }
  | { readonly op: 'add'; readonly a: NodeRef; readonly b: NodeRef }
  | { readonly op: 'sub'; readonly a: NodeRef; readonly b: NodeRef }
  | { readonly op: 'neg'; readonly a: NodeRef }
  /** Multiplication by one public integer. */
  | { readonly op: 'scale'; readonly a: NodeRef; readonly factor: bigint }
  | { readonly op: 'mul'; readonly a: NodeRef; readonly b: NodeRef }
  /** Σ a_i·b_i: one opening, whatever the length. */
  | { readonly op: 'inner'; readonly a: NodeRef; readonly b: NodeRef }
  | { readonly op: 'sum'; readonly a: NodeRef }
  /** Elements [from, to). */
  | { readonly op: 'slice'; readonly a: NodeRef; readonly from: number; readonly to: number }
  | { readonly op: 'concat'; readonly parts: readonly NodeRef[] }
  | { readonly op: 'broadcast'; readonly a: NodeRef; readonly length: number }
  /** Blocks of `block` elements at `picks`, in that order: a permutation, a selection, with repetitions. */
  | { readonly op: 'blocks'; readonly a: NodeRef; readonly block: number; readonly picks: readonly number[] }
  /** Uniform random bits that nobody knows. */
  | { readonly op: 'bits'; readonly length: number }
  /** Uniform random field elements that nobody knows. */
  | { readonly op: 'random'; readonly length: number }
  /** Reveals a secret vector to the committee. That it tells nothing is the program's duty: it has masked it. */
  | { readonly op: 'open'; readonly a: NodeRef }
  /** Public a mod 2^bits, of the canonical representative. */
  | { readonly op: 'low'; readonly a: NodeRef; readonly bits: number }
  /** The lowest `count` bits of a public vector: bit 0 of every element, then bit 1 of every element, and so on. */
  | { readonly op: 'digits'; readonly a: NodeRef; readonly count: number }
  /** Inverse of a public vector; the run ends with FIELD_NOT_INVERTIBLE when an element is zero. */
  | { readonly op: 'inverse'; readonly a: NodeRef }
  /** Public: 1 where a is zero, else 0. */
  | { readonly op: 'isZero'; readonly a: NodeRef }

/** A validated program. Slots are numbered 0, 1, … in the order of `inputs` and `params`. */
export interface Circuit {
  readonly nodes: readonly Node[]
  /** The nodes whose values are released, in order. At least one; each of them secret. */
  readonly outputs: readonly NodeRef[]
  /** Length of the input of each slot. */
  readonly inputs: readonly number[]
  /** Length of the public parameter of each slot. */
  readonly params: readonly number[]
}

/** What `analyse` derives from a circuit: the lengths and the schedule. */
export interface Analysis {
  readonly lengths: readonly number[]
  readonly secret: readonly boolean[]
  /** layers[k]: local nodes, then the secret products and openings that share one round (none in the last layer). */
  readonly layers: readonly Layer[]
}

/** An addition layer followed by a multiplication layer (paper §5.4), which opens values as well. */
export interface Layer {
  readonly local: readonly NodeRef[]
  readonly multiply: readonly NodeRef[]
  readonly open: readonly NodeRef[]
}

export interface Cost {
  /** Rounds of communication: depth in products and openings; 0 for a linear circuit. */
  readonly rounds: number
  /** Secret-by-secret products computed locally (an inner product counts its length). */
  readonly multiplications: number
  /** Values that pass a degree reduction (an inner product counts 1): what the network pays for. */
  readonly openings: number
  /** Values that the program opens to the committee. */
  readonly reveals: number
  /** Random bits and random elements that it consumes. */
  readonly bits: number
  readonly randoms: number
  /** Local linear operations, in elements. */
  readonly additions: number
  readonly outputs: number
}

/** A secret product of one round. */
export interface SecretProduct<S> {
  readonly op: 'mul' | 'inner'
  readonly a: S
  readonly b: S
}

/**
 * What runs a circuit: a protocol over secret vectors S. Local operations return new vectors; a vector of length 1
 * is broadcast where the field broadcasts it. `round` is the only communication.
 */
export interface Engine<S> {
  readonly field: PrimeField
  lengthOf(a: S): number
  fromPublic(v: FieldVector): S
  add(a: S, b: S): S
  sub(a: S, b: S): S
  neg(a: S): S
  addPublic(a: S, v: FieldVector): S
  mulPublic(a: S, v: FieldVector): S
  innerPublic(a: S, v: FieldVector): S
  scale(a: S, factor: bigint): S
  sum(a: S): S
  slice(a: S, from: number, to: number): S
  concat(parts: readonly S[]): S
  gather(a: S, indices: Uint32Array): S
  free(a: S): void
  /** All products and openings of one depth. */
  round(
    products: readonly SecretProduct<S>[],
    openings: readonly S[],
  ): Promise<{ products: S[]; opened: FieldVector[] }>
  bits(count: number): Promise<S>
  random(count: number): Promise<S>
  /**
   * Local operations on longer vectors are done in pieces, between which the event loop turns. `join` is `concat` that
   * lets it turn as well, and frees the parts.
   */
  readonly pieces?: { readonly length: number; join(parts: readonly S[]): Promise<S> }
  /** Has everything checked that was opened so far; at once when there is nothing. A run of an engine without it has no checkpoints. */
  check?(): Promise<void>
}

/** A vector of a run: secret, or known to all. */
export type Value<S> = { readonly secret: S } | { readonly open: FieldVector }

/**
 * Where a run may be taken up again: everything opened before has been checked, the local nodes of `layer` are done, its round
 * is not. `values` are what later nodes need, but for inputs, by node. Owned by whoever was given it, until it is given the next.
 */
export interface Checkpoint<S> {
  readonly layer: number
  readonly values: ReadonlyMap<NodeRef, Value<S>>
}

export interface RunProgress {
  /** Layers finished, of `layers`. */
  readonly layer: number
  readonly layers: number
}

export interface RunOptions {
  /** Public parameters by slot. */
  readonly params?: readonly (readonly bigint[])[]
  readonly onProgress?: (progress: RunProgress) => void
  readonly signal?: AbortSignal
}

/** Options of a run that can be taken up again. */
export interface Resumption<S> {
  /** Of a run of the same program over the same inputs, which ended. Still the caller's, until it is given the next. */
  readonly resume?: Checkpoint<S>
  /** Given the first checkpoint, and every later one in place of the one before. All parties make the same ones. */
  readonly onCheckpoint?: (checkpoint: Checkpoint<S>) => void
}

/** An exact result: numerator / denominator in lowest terms, denominator > 0. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

export interface ResultValue {
  readonly exact: Rational
  /** Half-even rounding to at most 12 decimal places, without trailing zeros. */
  readonly decimal: string
  /** True when `decimal` is the exact value. */
  readonly isExact: boolean
}

/** Lengths of the references' vectors, in the order in which the request names them; reference i fills input slot i. */
export type Shapes = readonly number[]

/** What the person who owns the data is told that the result gives away. */
export type Disclosure =
  /** One number over all values. */
  | 'aggregate'
  /** One number over all values, weighted by the requester: unequal weights can single values out. */
  | 'weighted-aggregate'
  /** One number per reference. */
  | 'per-reference'
  /** One or two values of the group, but not whose they are. */
  | 'order'
  /** How many values fulfil conditions. */
  | 'counts'
  /** Where one value stands among the others. */
  | 'position'

export interface BuiltProgram {
  readonly circuit: Circuit
  /** Values of the public parameter slots, the same for every party. */
  readonly params: readonly (readonly bigint[])[]
}

export const FUNCTION_IDS = [
  'sum',
  'mean',
  'weightedMean',
  'variance',
  'covariance',
  'median',
  'percentile',
  'min',
  'max',
  'histogram',
  'countWhere',
  'relativePosition',
  'linearScore',
  'logisticScore',
  'logisticMean',
] as const
export type FunctionId = (typeof FUNCTION_IDS)[number]

/** One parameter as a form asks for it. */
export interface ParamField {
  readonly name: string
  /** `reference`: the position of one of the request's references. */
  readonly kind: 'decimal' | 'decimals' | 'choice' | 'reference'
  readonly required: boolean
  readonly choices?: readonly string[]
}

/** A built-in function: from parameters and shapes to a circuit, and from its opened output to numbers. */
export interface BuiltinFunction<P = unknown> {
  readonly id: FunctionId
  /** Raised when the meaning changes; part of the code hash. */
  readonly version: number
  /** Keys of the interface's message catalogue. */
  readonly titleKey: string
  readonly descriptionKey: string
  readonly revealsKey: string
  readonly fields: readonly ParamField[]
  /** Values a reference holds: any number, an even number, or as many as there are weights. */
  readonly input: 'any' | 'pairs' | 'weights'
  /** Normalised parameters with defaults. Throws CIRCUIT_INPUT, naming the field. */
  parseParams(value: unknown): P
  disclosure(params: P): Disclosure
  /** Throws CIRCUIT_INPUT when the references do not fit (each length ≥ 1, at most 100,000 values in all). */
  checkShapes(params: P, shapes: Shapes): void
  build(params: P, shapes: Shapes): BuiltProgram
  /** Opened field elements (canonical, outputs concatenated) to numbers. Throws VALUE_RANGE, LENGTH_MISMATCH. */
  decode(output: readonly bigint[], modulus: bigint, params: P, shapes: Shapes): ResultValue[]
  /**
   * For each released number the positions of the references that it depends on. A minimum cohort counts the
   * distinct owners of the smallest of these sets: weights of zero do not make a crowd.
   */
  contributors(params: P, shapes: Shapes): readonly (readonly number[])[]
}
