import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { joinInPieces } from '../field/pieces.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { type PartyChannel, STEP } from './channel.ts'
import { commitAndOpen, tossCoins } from './coin.ts'
import type { AuthShare, CheckMark } from './types.ts'

/** Local arithmetic on one party's parts of authenticated vectors. Results are new vectors. */
export class AuthArithmetic {
  readonly field: PrimeField
  readonly macKey: FieldVector
  readonly index: number

  constructor(field: PrimeField, macKey: FieldVector, index: number) {
    this.field = field
    this.macKey = macKey
    this.index = index
  }

  map(a: AuthShare, f: (v: FieldVector) => FieldVector): AuthShare {
    return { share: f(a.share), mac: f(a.mac) }
  }

  zip(a: AuthShare, b: AuthShare, f: (x: FieldVector, y: FieldVector) => FieldVector): AuthShare {
    return { share: f(a.share, b.share), mac: f(a.mac, b.mac) }
  }

  add(a: AuthShare, b: AuthShare): AuthShare {
    return this.zip(a, b, (x, y) => this.field.add(x, y))
  }

  sub(a: AuthShare, b: AuthShare): AuthShare {
    return this.zip(a, b, (x, y) => this.field.sub(x, y))
  }

  /** By a public vector, or one public element. */
  mulPublic(a: AuthShare, v: FieldVector): AuthShare {
    return this.map(a, (x) => this.field.mul(x, v))
  }

  scale(a: AuthShare, factor: bigint): AuthShare {
    return this.map(a, (x) => this.field.scale(x, factor))
  }

  /** Party 0 adds the constant to its share, each party α_i times the constant to its MAC. */
  addPublic(a: AuthShare, v: FieldVector): AuthShare {
    const mac = this.field.mulAdd(v, this.macKey, a.mac)
    return {
      share: this.index === 0 ? this.field.add(a.share, v) : this.field.slice(a.share, 0, a.share.length),
      mac,
    }
  }

  concat(parts: readonly AuthShare[]): AuthShare {
    return {
      share: this.field.concat(parts.map((p) => p.share)),
      mac: this.field.concat(parts.map((p) => p.mac)),
    }
  }

  /** `concat`, letting the event loop turn. The parts are freed. */
  async join(parts: readonly AuthShare[]): Promise<AuthShare> {
    const join = (of: 'share' | 'mac') =>
      joinInPieces(
        this.field,
        parts.map((part) => part[of]),
      )
    return { share: await join('share'), mac: await join('mac') }
  }

  slice(a: AuthShare, from: number, to: number): AuthShare {
    return this.map(a, (v) => this.field.slice(v, from, to))
  }
}

/** `freeAuth`, letting the event loop turn: memory is wiped when it is freed. */
export async function release(...shares: readonly AuthShare[]): Promise<void> {
  for (const share of shares) {
    await turn()
    freeAuth(share)
  }
}

export function freeAuth(...shares: readonly AuthShare[]): void {
  for (const { share, mac } of shares) {
    share.free()
    mac.free()
  }
}

/** The value of a shared vector, unchecked until `checkMacs`. Throws MPC_ABORTED on encodings that are not canonical. */
export async function openAll(
  channel: PartyChannel,
  field: PrimeField,
  share: FieldVector,
): Promise<FieldVector> {
  const [value] = await openVectors(channel, field, [share])
  return value!
}

/** `openAll` for several vectors in one round. */
export async function openVectors(
  channel: PartyChannel,
  field: PrimeField,
  shares: readonly FieldVector[],
): Promise<FieldVector[]> {
  const encoded: Uint8Array[] = []
  for (const share of shares) {
    await turn()
    encoded.push(field.toMontgomery(share))
  }
  const values: FieldVector[] = []
  for (const [k, parts] of (await channel.broadcastAll(STEP.open, encoded)).entries()) {
    await turn()
    const vectors = parts.map((bytes, i) => decodeVector(channel, field, i, bytes, shares[k]!.length))
    values.push(addUp(field, vectors))
    for (const v of vectors) v.free()
  }
  return values
}

/** Σ of vectors, without the multiplications of `linear`; at least one. */
export function addUp(field: PrimeField, vectors: readonly FieldVector[]): FieldVector {
  let sum = field.slice(vectors[0]!, 0, vectors[0]!.length)
  for (const v of vectors.slice(1)) {
    const next = field.add(sum, v)
    sum.free()
    sum = next
  }
  return sum
}

/** A vector that party `from` sent, as `toMontgomery` or `toBytes` encodes it. */
export function decodeVector(
  channel: PartyChannel,
  field: PrimeField,
  from: number,
  bytes: Uint8Array,
  length: number,
  form: 'montgomery' | 'canonical' = 'montgomery',
): FieldVector {
  if (bytes.length !== length * field.byteLength)
    throw channel.blame(from, 'MALFORMED', 'sent a vector of another length')
  try {
    return form === 'montgomery' ? field.fromMontgomery(bytes) : field.fromBytes(bytes)
  } catch {
    throw channel.blame(from, 'NOT_CANONICAL', 'sent something that is no field element')
  }
}

/** Elements that share a vector of coefficients. */
const CHECK_CHUNK = 8192

/**
 * MAC check of opened values, and of secrets that must be zero (no value given), with random coefficients tossed
 * afterwards (eprint 2012/642, MACCheck): Σ_i Σ_k χ_k·(γ_i,k − α_i·x_k) = 0. A wrong value passes with probability
 * 3/r. Throws MPC_ABORTED (MAC_CHECK). Any error after this party has parted with its summand has `details.keyExposed`: a liar
 * that holds the others' summands knows the MAC key, even if it then only falls silent, and the epoch must not be used again.
 * `mark` is set before, and cleared when the check has passed.
 */
export async function checkMacs(
  channel: PartyChannel,
  { field, macKey }: Pick<AuthArithmetic, 'field' | 'macKey'>,
  checks: readonly { readonly value?: FieldVector; readonly mac: FieldVector }[],
  mark: CheckMark,
): Promise<void> {
  const prg = await tossCoins(channel)
  let sum = field.zeros(1)
  const add = (term: FieldVector, negate: boolean) => {
    const next = negate ? field.sub(sum, term) : field.add(sum, term)
    sum.free()
    term.free()
    sum = next
  }
  // χ_k = ψ_c·φ_j for element j of chunk c: two random vectors in place of one long one.
  const longest = Math.min(CHECK_CHUNK, Math.max(1, ...checks.map(({ mac }) => mac.length)))
  const weights = field.random(longest, prg)
  for (const { value, mac } of checks)
    for (let at = 0; at < mac.length; at += CHECK_CHUNK) {
      await turn()
      const to = Math.min(mac.length, at + CHECK_CHUNK)
      const chunk = field.slice(weights, 0, to - at)
      const factor = field.random(1, prg)
      const weighted = (v: FieldVector) => {
        const part = field.slice(v, at, to)
        const inner = field.inner(chunk, part)
        const scaled = field.mul(inner, factor)
        part.free()
        inner.free()
        return scaled
      }
      add(weighted(mac), false)
      if (value !== undefined) {
        const combined = weighted(value)
        add(field.mul(combined, macKey), true)
        combined.free()
      }
      chunk.free()
      factor.free()
    }
  weights.free()
  const parts = await commitAndOpen(channel, field.toMontgomery(sum), () => mark.begin()).catch((error) => {
    throw keyExposed(error)
  })
  sum.free()
  const vectors = parts.map((bytes, i) => decodeVector(channel, field, i, bytes, 1))
  const total = field.linear(
    vectors.map(() => 1n),
    vectors,
  )
  const zero = field.toBigints(total)[0] === 0n
  for (const v of [...vectors, total]) v.free()
  if (!zero) throw channel.fail('MAC_CHECK', 'a MAC check failed: somebody cheated')
  mark.pass()
}

function keyExposed(error: unknown): EnigmaError {
  const { code, message, remedy, details } = EnigmaError.from(error)
  return new EnigmaError(code, message, {
    ...(remedy === undefined ? {} : { remedy }),
    details: { ...details, keyExposed: true },
    cause: error,
  })
}
