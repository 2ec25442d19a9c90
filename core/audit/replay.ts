import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { runCircuit } from '../circuits/run.ts'
import type { BuiltProgram } from '../circuits/types.ts'
import { chainNext, chainStart } from '../commitments/rounds.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { challenge, rerandomiser } from './challenge.ts'
import type { Layout } from './layout.ts'
import { type Sym, Tape } from './tape.ts'
import type { AuditFault } from './types.ts'

/** A round's shares by party. */
export type Shares = readonly FieldVector[]

/** Why a replay ended before its time. */
export class ReplayFault extends Error {
  readonly fault: AuditFault

  constructor(fault: AuditFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** No more rounds: an aborted run is replayed as far as it went. */
class EndOfRounds extends Error {}

export interface Replayed {
  readonly tape: Tape
  /** The result of the program; undefined when the run did not come so far. */
  readonly output: Sym | undefined
  /** By party: what it opened, in the order of `tape.opened`, concatenated. */
  readonly shares: Shares
  /** By party: what it added to its parts of the inputs. */
  readonly offsets: Shares
  /** What must be zero and is not. */
  readonly fault: ReplayFault | undefined
  readonly rounds: number
}

/**
 * Runs an audited job again on what its parties broadcast: the sacrifice of triples and bits, the inputs, the program, the
 * output, in the order of `prover.ts`. `payloads` are the rounds before the closing ones, by party. Throws ReplayFault on
 * a payload that does not fit the program.
 */
export async function replay(
  field: PrimeField,
  layout: Layout,
  program: BuiltProgram,
  context: Uint8Array,
  payloads: readonly (readonly Uint8Array[])[],
  n: number,
): Promise<Replayed> {
  const opened: FieldVector[][] = Array.from({ length: n }, () => [])
  let offsets: Shares = Array.from({ length: n }, () => field.zeros(layout.inputs))
  let fault: ReplayFault | undefined
  let chain = chainStart(context)
  let at = 0

  const next = (length: number): Shares => {
    const payload = payloads[at]
    if (payload === undefined) throw new EndOfRounds()
    if (payload.length !== n || payload.some((p) => p.length !== length * field.byteLength))
      throw new ReplayFault('MALFORMED', `round ${at} does not have the length that the program gives it`)
    at += 1
    chain = chainNext(chain, payload)
    try {
      return payload.map((p) => field.fromBytes(p))
    } catch {
      throw new ReplayFault('MALFORMED', `round ${at - 1} has an element that is not canonical`)
    }
  }
  const total = (shares: Shares) =>
    field.linear(
      shares.map(() => 1n),
      shares,
    )
  const mustBeZero = (values: FieldVector, what: AuditFault, message: string) => {
    if (!field.equal(values, field.zeros(values.length))) fault ??= new ReplayFault(what, message)
  }
  const read = (length: number) => {
    const shares = next(length)
    shares.forEach((s, i) => {
      opened[i]!.push(s)
    })
    return total(shares)
  }
  const tape = new Tape(field, layout, read, rerandomiser(field, context, layout.bits, layout.randoms))

  let output: Sym | undefined
  try {
    const sacrificed = await sacrifice(field, layout, tape, context, () => chain)
    mustBeZero(sacrificed.triples, 'TRIPLES', 'a triple is not a product')
    if (sacrificed.bits !== undefined) mustBeZero(sacrificed.bits, 'BITS', 'a bit is neither 0 nor 1')
    // Each party's part of the inputs under its MACs; bound to the owners' commitments by the offsets.
    next(n)
    const given = next(layout.inputs)
    offsets = given
    mustBeZero(total(given), 'INPUT_OFFSETS', 'the parts of the inputs were moved by more than zero')
    const slots = program.circuit.inputs.map((length) => tape.input(length))
    output = await runCircuit(tape, program.circuit, slots, { params: program.params })
    const masks = await tape.random(2)
    const rho = tape.slice(masks, 0, 1)
    const v = tape.slice(masks, 1, 2)
    tape.openRound(
      [
        { op: 'mul', a: output, b: rho },
        { op: 'mul', a: v, b: rho },
      ],
      [],
    )
    if (at < payloads.length) throw new ReplayFault('MALFORMED', 'there are more rounds than the program has')
  } catch (error) {
    if (error instanceof EnigmaError && error.code === 'FIELD_NOT_INVERTIBLE')
      throw new ReplayFault('MALFORMED', 'the program inverted zero and went on')
    if (!(error instanceof EndOfRounds)) throw error
    output = undefined
  }
  const shares = opened.map((parts) => (parts.length === 0 ? field.zeros(0) : field.concat(parts)))
  return { tape, output, shares, offsets, fault, rounds: at }
}

/**
 * What `AuditedMaterial.sacrifice` does, on the tape: σ = χ·a − a′ and τ = b − b′ are opened, then one combination of
 * χ·c − c′ − τ·a′ − σ·b, which is zero when both are products (as in MASCOT, eprint 2016/505, Fig. 7, but with a public
 * challenge); then one combination of b² − b over the bits.
 */
async function sacrifice(
  field: PrimeField,
  layout: Layout,
  tape: Tape,
  context: Uint8Array,
  chain: () => Uint8Array,
): Promise<{ triples: FieldVector; bits: FieldVector | undefined }> {
  const { triples: t, offsets } = layout
  const chi = field.toBigints(challenge(field, context, 'sacrifice', 1))[0]!
  const half = (from: number, second: boolean) => tape.leaf(from + (second ? t : 0), t)
  const [a, a2] = [half(offsets.a, false), half(offsets.a, true)]
  const [b, b2] = [half(offsets.b, false), half(offsets.b, true)]
  const [c, c2] = [half(offsets.c, false), half(offsets.c, true)]
  const [sigma, tau] = tape.open([tape.sub(tape.scale(a, chi), a2), tape.sub(b, b2)]) as [
    FieldVector,
    FieldVector,
  ]
  await turn()
  const weights = challenge(field, chain(), 'triples', t)
  const product = tape.sub(tape.scale(c, chi), c2)
  const rest = tape.add(tape.mulPublic(a2, tau), tape.mulPublic(b, sigma))
  await turn()
  const combined = tape.innerPublic(tape.sub(product, rest), weights)
  if (layout.bits === 0) return { triples: tape.open([combined])[0]!, bits: undefined }
  const bits = tape.leaf(offsets.bits, layout.bits)
  const { products, opened } = tape.openRound([{ op: 'mul', a: bits, b: bits }], [combined])
  const bitWeights = challenge(field, chain(), 'bits', layout.bits)
  const zero = tape.innerPublic(tape.sub(products[0]!, bits), bitWeights)
  return { triples: opened[0]!, bits: tape.open([zero])[0]! }
}
