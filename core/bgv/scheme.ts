import { concatBytes, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { Prg, randomBytes } from '../base/random.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import { type Polynomial, RnsRing, type WideIntegers } from '../kernel/ring.ts'
import { maskWidth, uniformMasks } from './masks.ts'
import type { BgvParameters } from './parameters.ts'
import { proofLength, prove, type Relation, verify } from './proofs.ts'
import type { Ciphertext, PublicKey, SecretKey } from './types.ts'

const SEED = 32
const HALF = (field.modulus + 1n) / 2n

/**
 * RNS-BGV (Brakerski, Gentry and Vaikuntanathan 2012) with the plaintext modulus r, for LowGear (Keller, Pastro and
 * Rotaru, eprint 2017/1230): encryption with proofs, one multiplication by a plain polynomial, decryption. Plaintexts are
 * N coefficients, canonical, 32 bytes each; products of plaintexts are negacyclic convolutions of coefficients, or
 * slot-wise between `toCoefficients` and `toSlots`.
 *
 * Everything from outside is bytes and is checked before use; contexts bind proofs to a purpose, so that none can be
 * replayed elsewhere. One instance serves one thread. Not constant time beyond what core/kernel states.
 */
export class Bgv {
  readonly parameters: BgvParameters
  readonly #ring: RnsRing

  constructor(parameters: BgvParameters) {
    this.parameters = parameters
    this.#ring = new RnsRing(parameters.n, parameters.primes, parameters.plaintext)
  }

  get publicKeyLength(): number {
    return SEED + this.#ring.encodedLength(this.parameters.levels)
  }

  get ciphertextLength(): number {
    return 2 * this.#ring.encodedLength(this.parameters.levels)
  }

  get replyLength(): number {
    return 2 * this.#ring.encodedLength(this.parameters.replyLevels)
  }

  /** Bytes of a proof for a batch of any size. */
  get proofLength(): number {
    return proofLength(this.parameters, ['plaintext', 'ternary', 'error', 'error'])
  }

  toSlots(coefficients: Uint8Array): Uint8Array {
    return this.#ring.coefficientsToSlots(coefficients)
  }

  toCoefficients(slots: Uint8Array): Uint8Array {
    return this.#ring.slotsToCoefficients(slots)
  }

  /** A key pair and the proof that the public key is well-formed. `context` names the epoch and the owner. */
  generateKeys(context: Uint8Array): { secret: SecretKey; publicKey: Uint8Array; proof: Uint8Array } {
    const ring = this.#ring
    const prg = new Prg()
    const seed = randomBytes(SEED)
    const a = this.#publicPart(seed)
    const witness = [ring.ternary(prg), ring.binomial(prg)]
    const relation = this.#keyRelation(seed, a)
    const [b] = relation.apply(witness) as [Polynomial]
    const encoded = ring.encode(b)
    const proof = prove(this.parameters, ring, relation, [encoded], [witness], context, prg)
    const s = ring.scale(ring.forward(ring.fromIntegers(witness[0]!)), 2n)
    for (const part of [a, b, ...witness]) part.free()
    return { secret: { s }, publicKey: concatBytes(seed, encoded), proof }
  }

  /** Another party's key. Throws KEY_INVALID, PROOF_INVALID. */
  importKey(bytes: Uint8Array, proof: Uint8Array, context: Uint8Array): PublicKey {
    const ring = this.#ring
    const encoded = bytes.subarray(SEED)
    const b = bytes.length === this.publicKeyLength ? ring.decode(encoded, this.parameters.levels) : undefined
    if (b === undefined) throw new EnigmaError('KEY_INVALID', 'not the encoding of a public key')
    const seed = bytes.slice(0, SEED)
    const a = this.#publicPart(seed)
    const image = ring.backward(ring.copy(b))
    try {
      verify(this.parameters, ring, this.#keyRelation(seed, a), [encoded], [[image]], proof, context)
    } catch (error) {
      a.free()
      b.free()
      throw error
    } finally {
      image.free()
    }
    return { bytes: bytes.slice(), a, b: ring.scale(b, 2n) }
  }

  /**
   * Encrypts up to `batch` plaintexts under one's own key with one proof. Throws INVALID_ARGUMENT, LENGTH_MISMATCH,
   * FIELD_RANGE.
   */
  encrypt(
    key: PublicKey,
    plaintexts: readonly Uint8Array[],
    context: Uint8Array,
  ): { ciphertexts: Uint8Array[]; proof: Uint8Array } {
    this.#checkBatch(plaintexts.length)
    const ring = this.#ring
    const prg = new Prg()
    const relation = this.#ciphertextRelation(key)
    const witnesses = plaintexts.map((plaintext) => [
      // Ciphertexts are used doubled: what is encrypted is half the plaintext.
      ring.elements(halved(plaintext)),
      ring.ternary(prg),
      ring.binomial(prg),
      ring.binomial(prg),
    ])
    const ciphertexts = witnesses.map((witness) => {
      const parts = relation.apply(witness)
      const encoded = concatBytes(...parts.map((part) => ring.encode(part)))
      for (const part of parts) part.free()
      return encoded
    })
    const proof = prove(this.parameters, ring, relation, ciphertexts, witnesses, context, prg)
    for (const witness of witnesses) for (const part of witness) part.free()
    return { ciphertexts, proof }
  }

  /** The ciphertexts of a batch, checked. Throws CIPHERTEXT_INVALID, PROOF_INVALID, INVALID_ARGUMENT. */
  importCiphertexts(
    key: PublicKey,
    encodings: readonly Uint8Array[],
    proof: Uint8Array,
    context: Uint8Array,
  ): Ciphertext[] {
    this.#checkBatch(encodings.length)
    const ring = this.#ring
    const { levels } = this.parameters
    const half = ring.encodedLength(levels)
    const parts: Polynomial[][] = []
    const images: Polynomial[][] = []
    let accepted = false
    try {
      for (const bytes of encodings) {
        const pair: Polynomial[] = []
        parts.push(pair)
        for (const at of [0, half]) {
          const part =
            bytes.length === 2 * half ? ring.decode(bytes.subarray(at, at + half), levels) : undefined
          if (part === undefined)
            throw new EnigmaError('CIPHERTEXT_INVALID', 'not the encoding of a ciphertext')
          pair.push(part)
        }
        images.push(pair.map((part) => ring.backward(ring.copy(part))))
      }
      verify(this.parameters, ring, this.#ciphertextRelation(key), encodings, images, proof, context)
      accepted = true
      return parts.map(([c0, c1]) => ({
        c0: ring.scale(c0 as Polynomial, 2n),
        c1: ring.scale(c1 as Polynomial, 2n),
      }))
    } finally {
      for (const image of images.flat()) image.free()
      if (!accepted) for (const part of parts.flat()) part.free()
    }
  }

  /**
   * factor·ciphertext − mask, re-randomised and drowned, so that its decryption tells factor·plaintext − mask and nothing
   * else of the factor, then switched down. Throws LENGTH_MISMATCH, FIELD_RANGE.
   */
  multiplyAndMask(key: PublicKey, ciphertext: Ciphertext, factor: Uint8Array, mask: Uint8Array): Uint8Array {
    const ring = this.#ring
    const { n, plaintext, replyLevels, noise } = this.parameters
    const prg = new Prg()
    const multiplier = ring.forward(ring.fromField(factor))
    const u = small(ring, ring.ternary(prg))
    ring.forward(u)
    const reply = [ciphertext.c0, ciphertext.c1].map((c, i) => {
      const sum = ring.mul(c, multiplier)
      ring.accumulateProduct(sum, i === 0 ? key.b : key.a, u)
      ring.backward(sum)
      const error = small(ring, ring.binomial(prg), plaintext)
      ring.accumulate(sum, error)
      error.free()
      return sum
    }) as [Polynomial, Polynomial]
    const bytes = uniformMasks(prg, noise.drowning, n)
    const drowning = small(ring, ring.integers(bytes, maskWidth(noise.drowning)), plaintext)
    ring.accumulate(reply[0], drowning)
    const hidden = ring.fromField(mask)
    const masked = ring.sub(reply[0], hidden)
    const out = [masked, reply[1]].map((part) => {
      const switched = ring.switchModulus(part, replyLevels)
      const encoded = ring.encode(switched)
      switched.free()
      return encoded
    })
    for (const part of [multiplier, u, ...reply, drowning, hidden, masked]) part.free()
    // Switching divides by the dropped primes; the decryptor's value is multiplied back there.
    return concatBytes(...out)
  }

  /** The plaintext of a reply. Throws CIPHERTEXT_INVALID. */
  decryptReply(secret: SecretKey, bytes: Uint8Array): Uint8Array {
    const ring = this.#ring
    const { replyLevels, levels, plaintext, primes } = this.parameters
    const half = ring.encodedLength(replyLevels)
    const c0 = bytes.length === 2 * half ? ring.decode(bytes.subarray(0, half), replyLevels) : undefined
    const c1 = c0 && ring.decode(bytes.subarray(half), replyLevels)
    if (c0 === undefined || c1 === undefined) {
      c0?.free()
      throw new EnigmaError('CIPHERTEXT_INVALID', 'not the encoding of a reply')
    }
    const product = ring.backward(ring.mul(ring.forward(c1), secret.s))
    const difference = ring.sub(c0, product)
    const values = field.fromBytes(ring.toField(difference))
    for (const part of [c0, c1, product, difference]) part.free()
    const dropped = primes.slice(replyLevels, levels).reduce((a, b) => (a * b) % plaintext, 1n)
    const scaled = field.scale(values, dropped)
    const out = field.toBytes(scaled)
    values.free()
    scaled.free()
    return out
  }

  freeKey(key: PublicKey): void {
    key.a.free()
    key.b.free()
  }

  freeSecret(secret: SecretKey): void {
    secret.s.free()
  }

  freeCiphertext(ciphertext: Ciphertext): void {
    ciphertext.c0.free()
    ciphertext.c1.free()
  }

  #publicPart(seed: Uint8Array): Polynomial {
    return this.#ring.uniform(new Prg(seed.slice()), this.parameters.levels)
  }

  #checkBatch(count: number): void {
    if (count < 1 || count > this.parameters.batch)
      throw new EnigmaError('INVALID_ARGUMENT', `a proof covers 1 to ${this.parameters.batch} ciphertexts`)
  }

  /** b = a·s + r·e. */
  #keyRelation(seed: Uint8Array, a: Polynomial): Relation {
    const ring = this.#ring
    return {
      domain: [utf8('key'), seed],
      kinds: ['ternary', 'error'],
      apply: ([s, e]) => [combination(ring, a, s!, this.parameters.plaintext, e!)],
    }
  }

  /** c_0 = b·u + r·e_0 + m, c_1 = a·u + r·e_1. */
  #ciphertextRelation(key: PublicKey): Relation {
    const ring = this.#ring
    const { plaintext } = this.parameters
    return {
      domain: [utf8('ciphertext'), key.bytes],
      kinds: ['plaintext', 'ternary', 'error', 'error'],
      apply: ([m, u, e0, e1]) => [
        combination(ring, key.b, u!, plaintext, e0!, m),
        combination(ring, key.a, u!, plaintext, e1!),
      ],
    }
  }
}

/** base·u + r·e + m, transformed. */
function combination(
  ring: RnsRing,
  base: Polynomial,
  u: WideIntegers,
  r: bigint,
  e: WideIntegers,
  m?: WideIntegers,
): Polynomial {
  const sum = ring.fromIntegers(e, base.levels, r)
  if (m !== undefined) {
    const plain = ring.fromIntegers(m, base.levels)
    ring.accumulate(sum, plain)
    plain.free()
  }
  ring.forward(sum)
  const short = ring.forward(ring.fromIntegers(u, base.levels))
  ring.accumulateProduct(sum, base, short)
  short.free()
  return sum
}

/** Coefficients of integers times a factor; frees the integers. */
function small(ring: RnsRing, integers: WideIntegers, factor = 1n): Polynomial {
  const out = ring.fromIntegers(integers, undefined, factor)
  integers.free()
  return out
}

function halved(plaintext: Uint8Array): Uint8Array {
  const values = field.fromBytes(plaintext)
  const half = field.scale(values, HALF)
  const bytes = field.toBytes(half)
  values.free()
  half.free()
  return bytes
}
