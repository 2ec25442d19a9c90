import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { randomBytes } from '../base/random.ts'
import type { Handle } from '../bgv/service.ts'
import type { AsyncBgv } from '../bgv/thread.ts'
import { squareRoots } from '../field/sqrt.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { NodeId, Session } from '../transport/types.ts'
import { AuthArithmetic, checkMacs, decodeVector, freeAuth, openAll } from './auth.ts'
import { PartyChannel, STEP } from './channel.ts'
import { tossCoins } from './coin.ts'
import type { AuthShare, CheckMark, Epoch, InputMasks, InversePairs, Squares, Triples } from './types.ts'

export interface LowGearOptions {
  readonly field: PrimeField
  /** Slots of a ciphertext: the size of a batch. */
  readonly slots: number
  readonly bgv: AsyncBgv
  /** A transport session among exactly the committee. */
  readonly session: Session
  /** The committee in party order. */
  readonly parties: readonly NodeId[]
  readonly index: number
  /** To make more material for an epoch that exists. */
  readonly resume?: { readonly epochId: string; readonly macKey: FieldVector }
  /** Where MAC checks of the epoch, which is known by then, are noted. */
  readonly checks: (epochId: string) => CheckMark
  /** Longest silence of one party (default 2 min: proofs of the others take their time). */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** What is being done, and how much of it. */
  readonly onProgress?: (what: 'keys' | 'products' | 'macs' | 'checks', done: number, total: number) => void
}

interface Party {
  readonly key: Handle
  /** Enc(α_j), diagonal by being a constant polynomial. */
  readonly alpha: Handle
}

/** One product with every other party's ciphertext: factor in coefficients, mask drawn in slots or coefficients. */
interface Cross {
  readonly theirs: readonly Handle[]
  readonly factor: Uint8Array
  readonly packing: 'slots' | 'coefficients'
}

const TIMEOUT_MS = 120_000

/**
 * LowGear (Keller, Pastro and Rotaru, Overdrive, eprint 2017/1230): triples and their kin from pairwise products under
 * BGV, secure against all but one party. Every party calls the same methods in the same order; each returns one batch per
 * count, checked: MACs, sacrifice, and that all received the same broadcasts. Any failure ends the session for all, and its
 * material must not be used: MPC_ABORTED (details party, index, reason), MPC_PARTY_LOST, CANCELLED.
 *
 * Enc(α_j) is proven short but not proven constant: MACs of a party that encrypts different values in different places miss
 * by a multiple of honest shares it does not know, and fail the check that precedes every use.
 */
export class LowGear {
  readonly epoch: Epoch
  readonly macKey: FieldVector
  readonly #o: LowGearOptions
  readonly #channel: PartyChannel
  readonly #arithmetic: AuthArithmetic
  readonly #secret: Handle
  readonly #own: Handle
  readonly #parties: readonly (Party | undefined)[]
  #counter = 0

  private constructor(
    options: LowGearOptions,
    state: {
      channel: PartyChannel
      epoch: Epoch
      macKey: FieldVector
      secret: Handle
      own: Handle
      parties: readonly (Party | undefined)[]
    },
  ) {
    this.#o = options
    this.#channel = state.channel
    this.epoch = state.epoch
    this.macKey = state.macKey
    this.#arithmetic = new AuthArithmetic(options.field, state.macKey, options.index)
    this.#secret = state.secret
    this.#own = state.own
    this.#parties = state.parties
  }

  /** Agrees on the epoch, exchanges keys and encrypted MAC key shares with their proofs. */
  static async start(options: LowGearOptions): Promise<LowGear> {
    const { session, parties, index, field, resume, slots } = options
    const channel = new PartyChannel({
      session,
      parties,
      index,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      signal: options.signal,
    })
    try {
      options.onProgress?.('keys', 0, 3)
      const nonces = await channel.broadcast(STEP.nonce, randomBytes(32))
      for (const [i, nonce] of nonces.entries())
        if (nonce.length !== 32) throw channel.blame(i, 'MALFORMED', 'sent a nonce of another length')
      const run = createHash('sha256')
        .update(concatBytes(...parties.map(utf8), ...nonces))
        .digest('hex')
      const context = (i: number, what: string) => utf8(`enigma/lowgear/${run}/${i}/${what}`)
      await channel.echo()

      const bgv = announced(channel, options.bgv)
      const keys = await bgv.generateKeys(context(index, 'key'))
      options.onProgress?.('keys', 1, 3)
      await Promise.all(
        channel.others.map(async (to) => {
          await channel.send(to, STEP.key, keys.publicKey)
          await channel.send(to, STEP.keyProof, keys.proof)
        }),
      )
      const imported: (Handle | undefined)[] = parties.map(() => undefined)
      for (const i of channel.others) {
        const bytes = await channel.receive(i, STEP.key)
        const proof = await channel.receive(i, STEP.keyProof)
        imported[i] = await bgv.importKey(bytes, proof, context(i, 'key')).catch((error) => {
          throw channel.blame(i, 'BAD_KEY', `sent a bad key: ${(error as Error).message}`)
        })
      }
      options.onProgress?.('keys', 2, 3)

      const macKey = resume === undefined ? field.random(1) : field.slice(resume.macKey, 0, 1)
      const constant = new Uint8Array(slots * field.byteLength)
      constant.set(field.toBytes(macKey))
      const encrypted = await bgv.encrypt(keys.key, [constant], context(index, 'alpha'))
      await sendBatch(channel, encrypted)
      const others: (Party | undefined)[] = parties.map(() => undefined)
      for (const i of channel.others) {
        const { ciphertexts, proof } = await receiveBatch(channel, i, 1)
        const key = imported[i] as Handle
        const [alpha] = await importBatch(channel, bgv, i, key, ciphertexts, proof, context(i, 'alpha'))
        others[i] = { key, alpha: alpha as Handle }
      }
      options.onProgress?.('keys', 3, 3)
      const epoch: Epoch = { id: resume?.epochId ?? run, parties, index }
      return new LowGear(
        { ...options, bgv },
        {
          channel,
          epoch,
          macKey,
          secret: keys.secret,
          own: keys.key,
          parties: others,
        },
      )
    } catch (error) {
      await channel.abort(error)
      throw error
    }
  }

  get bytesSent(): number {
    return this.#channel.bytesSent
  }

  /** `count` batches of triples, 1 to 12 at a time: one proof covers them all. */
  triples(count: number): Promise<Triples> {
    return this.#safely(async () => {
      const { a, b, c } = await this.#products(count, false)
      return { a, b, c }
    })
  }

  squares(count: number): Promise<Squares> {
    return this.#safely(async () => {
      const { a, b, c } = await this.#products(count, true)
      freeAuth(b)
      return { a, c }
    })
  }

  /** Uniform bits: b = (a/√(a²) + 1)/2 for an opened square. */
  bits(count: number): Promise<AuthShare> {
    return this.#safely(async () => {
      const { field } = this.#o
      const { a, b, c } = await this.#products(count, true)
      freeAuth(b)
      const opened = await openAll(this.#channel, field, c.share)
      await this.#check([{ value: opened, mac: c.mac }])
      const roots = await squareRoots(field, opened).catch(() => {
        throw this.#channel.fail('BAD_MATERIAL', 'an opened square is none')
      })
      const inverse = field.inverse(roots)
      const half = (field.modulus + 1n) / 2n
      const one = field.fromBigints([1n])
      const signs = this.#arithmetic.mulPublic(a, inverse)
      const shifted = this.#arithmetic.addPublic(signs, one)
      const bits = this.#arithmetic.scale(shifted, half)
      freeAuth(a, c, signs, shifted)
      for (const v of [opened, roots, inverse, one]) v.free()
      return bits
    })
  }

  randoms(count: number): Promise<AuthShare> {
    return this.#safely(async () => {
      const x = this.#o.field.random(count * this.#o.slots)
      const mac = await this.#authenticate(x)
      // MACs of values nobody opens: one random combination, masked by a value that is used up, is opened and checked.
      return this.#checkedByCombination({ share: x, mac })
    })
  }

  inverses(count: number): Promise<InversePairs> {
    return this.#safely(async () => {
      const { field } = this.#o
      const { a, b, c } = await this.#products(count, false)
      const opened = await openAll(this.#channel, field, c.share)
      await this.#check([{ value: opened, mac: c.mac }])
      let scaled: FieldVector
      try {
        scaled = field.inverse(opened)
      } catch {
        throw this.#channel.fail('BAD_MATERIAL', 'an opened product is zero')
      }
      const inverse = this.#arithmetic.mulPublic(b, scaled)
      freeAuth(b, c)
      opened.free()
      scaled.free()
      return { a, inverse }
    })
  }

  /** Random values that party `owner` learns: one less than the slots of `count` batches. */
  masks(owner: number, count: number): Promise<InputMasks> {
    return this.#safely(async () => {
      const { field, index, slots } = this.#o
      const length = count * slots
      const x = field.random(length)
      const mac = await this.#authenticate(x)
      let clear: FieldVector | undefined
      if (index === owner) {
        const parts = [field.slice(x, 0, length)]
        for (const i of this.#channel.others)
          parts.push(
            decodeVector(this.#channel, field, i, await this.#channel.receive(i, STEP.toOwner), length),
          )
        clear = field.linear(
          parts.map(() => 1n),
          parts,
        )
        for (const part of parts) part.free()
      } else await this.#channel.send(owner, STEP.toOwner, field.toMontgomery(x))
      const shares = await this.#checkedByCombination({ share: x, mac }, clear)
      const known = clear && field.slice(clear, 0, length - 1)
      clear?.free()
      return { shares, ...(known === undefined ? {} : { clear: known }) }
    })
  }

  /** Ends the session and frees the keys. The MAC key is the caller's. */
  async close(): Promise<void> {
    const { bgv } = this.#o
    const handles = [this.#secret, this.#own]
    for (const party of this.#parties) if (party !== undefined) handles.push(party.key, party.alpha)
    await bgv.release(handles).catch(() => undefined)
    await this.#o.session.close()
  }

  async #safely<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      // Nothing is returned before every party is content.
      await this.#channel.echo()
      return result
    } catch (error) {
      await this.#channel.abort(error)
      throw error
    }
  }

  /** ⟨a⟩, ⟨b⟩ and ⟨a·b⟩ with one sacrifice: the same a with another b̂, and r·c − ĉ − (r·b − b̂)·a = 0. */
  async #products(count: number, square: boolean): Promise<Triples> {
    const { field, bgv, slots } = this.#o
    const draw = () => Array.from({ length: count }, () => field.random(slots))
    const a = draw()
    const b = square ? a.map((v) => field.slice(v, 0, slots)) : draw()
    const other = draw()
    const handles = await this.#exchange(a)
    const products: FieldVector[] = []
    const crosses: Cross[] = []
    for (let t = 0; t < count; t++)
      for (const factor of [b[t]!, other[t]!]) {
        crosses.push({
          theirs: handles.map((of) => of[t] ?? 0),
          factor: await bgv.toCoefficients(field.toBytes(factor)),
          packing: 'slots',
        })
        products.push(field.mul(a[t]!, factor))
      }
    const shared = await this.#cross(crosses, 'products')
    await bgv.release(handles.flat())
    const sums = products.map((own, k) => {
      const sum = field.add(own, shared[k]!)
      own.free()
      shared[k]!.free()
      return sum
    })
    const joined = (vectors: readonly FieldVector[]) => {
      const out = field.concat(vectors)
      for (const v of vectors) v.free()
      return out
    }
    const parts = [
      joined(a),
      joined(b),
      joined(other),
      joined(sums.filter((_, k) => k % 2 === 0)),
      joined(sums.filter((_, k) => k % 2 === 1)),
    ]
    const all = field.concat(parts)
    const macs = await this.#authenticate(all)
    all.free()
    const length = count * slots
    const [x, y, z, c, d] = parts.map((share, k) => ({
      share,
      mac: field.slice(macs, k * length, (k + 1) * length),
    })) as [AuthShare, AuthShare, AuthShare, AuthShare, AuthShare]
    macs.free()

    const prg = await tossCoins(this.#channel)
    const r = field.random(1, prg)
    const local = this.#arithmetic
    const scaled = local.mulPublic(y, r)
    const difference = local.sub(scaled, z)
    const rho = await openAll(this.#channel, field, difference.share)
    const left = local.mulPublic(c, r)
    const middle = local.sub(left, d)
    const right = local.mulPublic(x, rho)
    const zero = local.sub(middle, right)
    const opened = await openAll(this.#channel, field, zero.share)
    if (!isZero(field, opened)) throw this.#channel.fail('BAD_MATERIAL', 'a triple failed the sacrifice')
    await this.#check([{ value: rho, mac: difference.mac }, { mac: zero.mac }])
    freeAuth(z, d, scaled, difference, left, middle, right, zero)
    for (const v of [r, rho, opened]) v.free()
    return { a: x, b: y, c }
  }

  /** Sends Enc(x) of up to 12 vectors to all, with one proof; the others' ciphertexts by party. */
  async #exchange(vectors: readonly FieldVector[]): Promise<Handle[][]> {
    const { bgv, index, field } = this.#o
    const number = this.#counter++
    const context = (i: number) =>
      utf8(`enigma/lowgear/${this.epoch.id}/${this.#o.session.id}/${i}/${number}`)
    const plaintexts: Uint8Array[] = []
    for (const v of vectors) plaintexts.push(await bgv.toCoefficients(field.toBytes(v)))
    const sending = sendBatch(this.#channel, await bgv.encrypt(this.#own, plaintexts, context(index)))
    sending.catch(() => undefined)
    const handles: Handle[][] = this.#parties.map(() => [])
    for (const i of this.#channel.others) {
      const { ciphertexts, proof } = await receiveBatch(this.#channel, i, vectors.length)
      handles[i] = await importBatch(
        this.#channel,
        bgv,
        i,
        this.#parties[i]!.key,
        ciphertexts,
        proof,
        context(i),
      )
    }
    await sending
    return handles
  }

  /**
   * For each item this party's share of Σ_{j ≠ i} (a_i·b_j + a_j·b_i), a_j being what `theirs` encrypts and b_j the factor of
   * party j. Replies travel while the next ones are computed.
   */
  async #cross(items: readonly Cross[], what: 'products' | 'macs'): Promise<FieldVector[]> {
    const { bgv, field, slots, onProgress } = this.#o
    const shares = items.map(() => field.zeros(slots))
    const add = (k: number, v: FieldVector) => {
      const sum = field.add(shares[k]!, v)
      shares[k]!.free()
      v.free()
      shares[k] = sum
    }
    let done = 0
    const total = 2 * items.length * this.#channel.others.length
    const step = () => onProgress?.(what, ++done, total)
    const evaluate = async () => {
      for (const [k, { theirs, factor, packing }] of items.entries())
        for (const j of this.#channel.others) {
          const mask = field.random(slots)
          const bytes = field.toBytes(mask)
          const reply = await bgv.multiplyAndMask(
            this.#parties[j]!.key,
            theirs[j]!,
            factor,
            packing === 'slots' ? await bgv.toCoefficients(bytes) : bytes,
          )
          add(k, mask)
          await this.#channel.send(j, STEP.reply, reply)
          step()
        }
    }
    const decrypt = async (j: number) => {
      for (const [k, { packing }] of items.entries()) {
        const reply = await this.#channel.receive(j, STEP.reply)
        const plain = await bgv.decryptReply(this.#secret, reply).catch((error) => {
          throw this.#channel.blame(j, 'BAD_CIPHERTEXT', `sent a bad reply: ${(error as Error).message}`)
        })
        add(k, field.fromBytes(packing === 'slots' ? await bgv.toSlots(plain) : plain))
        step()
        await setImmediate()
      }
    }
    // The first failure ends the session; what else is under way then fails by itself.
    await Promise.all([evaluate(), ...this.#channel.others.map(decrypt)])
    return shares
  }

  /** This party's MACs of its shares: α_i·x_i + Σ_{j ≠ i} (α_i·x_j + α_j·x_i), slots at a time. */
  async #authenticate(x: FieldVector): Promise<FieldVector> {
    const { field, slots } = this.#o
    const parts: FieldVector[] = []
    for (let at = 0; at < x.length; at += slots) parts.push(field.slice(x, at, at + slots))
    const theirs = this.#parties.map((party) => party?.alpha ?? 0)
    const crosses = await this.#cross(
      parts.map((part) => ({ theirs, factor: field.toBytes(part), packing: 'coefficients' as const })),
      'macs',
    )
    const macs = parts.map((part, k) => {
      const mac = field.mulAdd(part, this.macKey, crosses[k]!)
      part.free()
      crosses[k]!.free()
      return mac
    })
    const out = field.concat(macs)
    for (const mac of macs) mac.free()
    return out
  }

  /**
   * Checks MACs of a vector nobody opens: Σ χ_k·x_k plus its last element, which is used up, is opened. `clear` is the
   * whole vector as its owner received it. Returns all but the last element.
   */
  async #checkedByCombination(x: AuthShare, clear?: FieldVector): Promise<AuthShare> {
    const { field } = this.#o
    const length = x.share.length - 1
    const prg = await tossCoins(this.#channel)
    const chi = field.random(length, prg)
    const one = field.fromBigints([1n])
    const coefficients = field.concat([chi, one])
    const combined = {
      share: field.inner(coefficients, x.share),
      mac: field.inner(coefficients, x.mac),
    }
    const value = await openAll(this.#channel, field, combined.share)
    await this.#check([{ value, mac: combined.mac }])
    if (clear !== undefined) {
      const expected = field.inner(coefficients, clear)
      const same = field.equal(expected, value)
      expected.free()
      if (!same) throw this.#channel.fail('BAD_MATERIAL', 'somebody sent the owner of a mask a wrong share')
    }
    const out = this.#arithmetic.slice(x, 0, length)
    freeAuth(x, combined)
    for (const v of [chi, one, coefficients, value]) v.free()
    return out
  }

  #check(checks: Parameters<typeof checkMacs>[2]): Promise<void> {
    this.#o.onProgress?.('checks', 0, 1)
    return checkMacs(this.#channel, this.#arithmetic, checks, this.#o.checks(this.epoch.id))
  }
}

/** The scheme, with the others told that this party is working while it does. */
function announced(channel: PartyChannel, bgv: AsyncBgv): AsyncBgv {
  return new Proxy(bgv, {
    get: (target, method: string) => {
      if (method === 'then') return undefined
      const call = target[method as keyof AsyncBgv] as (...args: readonly unknown[]) => Promise<unknown>
      return (...args: readonly unknown[]) => channel.working(() => call(...args))
    },
  })
}

async function sendBatch(
  channel: PartyChannel,
  batch: { ciphertexts: readonly Uint8Array[]; proof: Uint8Array },
): Promise<void> {
  await Promise.all(
    channel.others.map(async (to) => {
      for (const ciphertext of batch.ciphertexts) await channel.send(to, STEP.ciphertext, ciphertext)
      await channel.send(to, STEP.proof, batch.proof)
    }),
  )
}

async function receiveBatch(
  channel: PartyChannel,
  from: number,
  count: number,
): Promise<{ ciphertexts: Uint8Array[]; proof: Uint8Array }> {
  const ciphertexts: Uint8Array[] = []
  for (let t = 0; t < count; t++) ciphertexts.push(await channel.receive(from, STEP.ciphertext))
  return { ciphertexts, proof: await channel.receive(from, STEP.proof) }
}

function importBatch(
  channel: PartyChannel,
  bgv: AsyncBgv,
  from: number,
  key: Handle,
  ciphertexts: readonly Uint8Array[],
  proof: Uint8Array,
  context: Uint8Array,
): Promise<Handle[]> {
  return bgv.importCiphertexts(key, ciphertexts, proof, context).catch((error) => {
    throw channel.blame(from, 'BAD_PROOF', `sent a bad ciphertext: ${(error as Error).message}`)
  })
}

function isZero(field: PrimeField, v: FieldVector): boolean {
  return field.toBytes(v).every((b) => b === 0)
}
