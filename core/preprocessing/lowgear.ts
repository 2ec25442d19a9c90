import { createHash } from 'node:crypto'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { randomBytes } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import type { Handle } from '../bgv/service.ts'
import type { AsyncBgv } from '../bgv/thread.ts'
import { squareRoots } from '../field/sqrt.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { NodeId, Session } from '../transport/types.ts'
import { AuthArithmetic, checkMacs, decodeVector, freeAuth, openAll, openVectors, release } from './auth.ts'
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
      const products = await this.#products(count, false)
      const [a, b, c] = await this.#join(products.map((t) => [t.a, t.b, t.c]))
      return { a: a!, b: b!, c: c! }
    })
  }

  squares(count: number): Promise<Squares> {
    return this.#safely(async () => {
      const products = await this.#products(count, true)
      for (const { b } of products) freeAuth(b)
      const [a, c] = await this.#join(products.map((t) => [t.a, t.c]))
      return { a: a!, c: c! }
    })
  }

  /** Uniform bits: b = (a/√(a²) + 1)/2 for an opened square. */
  bits(count: number): Promise<AuthShare> {
    return this.#safely(async () => {
      const { field } = this.#o
      const products = await this.#products(count, true)
      const opened = await this.#openProducts(products)
      const half = (field.modulus + 1n) / 2n
      const one = field.fromBigints([1n])
      const bits: AuthShare[] = []
      for (const [t, { a, b, c }] of products.entries()) {
        await turn()
        const value = opened[t]!
        const roots = await squareRoots(field, value).catch(() => {
          throw this.#channel.fail('BAD_MATERIAL', 'an opened square is none')
        })
        const inverse = field.inverse(roots)
        const signs = this.#arithmetic.mulPublic(a, inverse)
        const shifted = this.#arithmetic.addPublic(signs, one)
        bits.push(this.#arithmetic.scale(shifted, half))
        freeAuth(a, b, c, signs, shifted)
        for (const v of [value, roots, inverse]) v.free()
      }
      one.free()
      const [joined] = await this.#join(bits.map((part) => [part]))
      return joined!
    })
  }

  randoms(count: number): Promise<AuthShare> {
    return this.#safely(async () => {
      // MACs of values nobody opens: one random combination, masked by a value that is used up, is opened and checked.
      return this.#checkedByCombination(await this.#randomShares(count))
    })
  }

  inverses(count: number): Promise<InversePairs> {
    return this.#safely(async () => {
      const { field } = this.#o
      const products = await this.#products(count, false)
      const opened = await this.#openProducts(products)
      const pairs: AuthShare[][] = []
      for (const [t, { a, b, c }] of products.entries()) {
        await turn()
        const value = opened[t]!
        let scaled: FieldVector
        try {
          scaled = field.inverse(value)
        } catch {
          throw this.#channel.fail('BAD_MATERIAL', 'an opened product is zero')
        }
        pairs.push([a, this.#arithmetic.mulPublic(b, scaled)])
        freeAuth(b, c)
        value.free()
        scaled.free()
      }
      const [a, inverse] = await this.#join(pairs)
      return { a: a!, inverse: inverse! }
    })
  }

  /** Random values that party `owner` learns: one less than the slots of `count` batches. */
  masks(owner: number, count: number): Promise<InputMasks> {
    return this.#safely(async () => {
      const { field, index, slots } = this.#o
      const length = count * slots
      const random = await this.#randomShares(count)
      const x = random.share
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
      const shares = await this.#checkedByCombination(random, clear)
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

  /** ⟨a⟩, ⟨b⟩ and ⟨a·b⟩ by batch, with one sacrifice: the same a with another b̂, and r·c − ĉ − (r·b − b̂)·a = 0. */
  async #products(count: number, square: boolean): Promise<Triples[]> {
    const { field, bgv, slots } = this.#o
    const draw = async () => {
      const vectors: FieldVector[] = []
      for (let t = 0; t < count; t++) {
        await turn()
        vectors.push(field.random(slots))
      }
      return vectors
    }
    const a = await draw()
    const b = square ? a.map((v) => field.slice(v, 0, slots)) : await draw()
    const other = await draw()
    const handles = await this.#exchange(a)
    const own: FieldVector[] = []
    const crosses: Cross[] = []
    for (let t = 0; t < count; t++)
      for (const factor of [b[t]!, other[t]!]) {
        crosses.push({
          theirs: handles.map((of) => of[t] ?? 0),
          factor: await bgv.toCoefficients(field.toBytes(factor)),
          packing: 'slots',
        })
        own.push(field.mul(a[t]!, factor))
      }
    const shared = await this.#cross(crosses, 'products')
    await bgv.release(handles.flat())
    const sums: FieldVector[] = []
    for (const [k, product] of own.entries()) {
      await turn()
      sums.push(field.add(product, shared[k]!))
      product.free()
      shared[k]!.free()
    }
    const [c, d] = [0, 1].map((odd) => sums.filter((_, k) => k % 2 === odd)) as [FieldVector[], FieldVector[]]
    const shares = [a, b, other, c, d]
    const macs = await this.#authenticate(shares.flat())
    const items = Array.from(
      { length: count },
      (_, t) =>
        shares.map((list, k) => ({ share: list[t]!, mac: macs[k * count + t]! })) as [
          x: AuthShare,
          y: AuthShare,
          z: AuthShare,
          c: AuthShare,
          d: AuthShare,
        ],
    )

    const prg = await tossCoins(this.#channel)
    const r = field.random(1, prg)
    const local = this.#arithmetic
    const differences: AuthShare[] = []
    for (const [, y, z] of items) {
      await turn()
      const scaled = local.mulPublic(y, r)
      differences.push(local.sub(scaled, z))
      freeAuth(scaled, z)
    }
    const rho = await openVectors(
      this.#channel,
      field,
      differences.map(({ share }) => share),
    )
    const zeros: AuthShare[] = []
    for (const [t, [x, , , product, otherProduct]] of items.entries()) {
      await turn()
      const left = local.mulPublic(product, r)
      const middle = local.sub(left, otherProduct)
      const right = local.mulPublic(x, rho[t]!)
      zeros.push(local.sub(middle, right))
      freeAuth(left, otherProduct, middle, right)
    }
    const opened = await openVectors(
      this.#channel,
      field,
      zeros.map(({ share }) => share),
    )
    const zero = field.zeros(1)
    if (!opened.every((v) => field.equal(v, zero)))
      throw this.#channel.fail('BAD_MATERIAL', 'a triple failed the sacrifice')
    await this.#check([
      ...differences.map(({ mac }, t) => ({ value: rho[t]!, mac })),
      ...zeros.map(({ mac }) => ({ mac })),
    ])
    await release(...differences, ...zeros)
    for (const v of [r, zero, ...rho, ...opened]) v.free()
    return items.map(([x, y, , product]) => ({ a: x, b: y, c: product }))
  }

  /** The values of the products, checked. */
  async #openProducts(products: readonly Triples[]): Promise<FieldVector[]> {
    const values = await openVectors(
      this.#channel,
      this.#o.field,
      products.map(({ c }) => c.share),
    )
    await this.#check(products.map(({ c }, t) => ({ value: values[t]!, mac: c.mac })))
    return values
  }

  /** Column by column one vector of what the rows hold, which is freed. */
  async #join(rows: readonly (readonly AuthShare[])[]): Promise<AuthShare[]> {
    const joined: AuthShare[] = []
    for (const column of rows[0]!.keys())
      joined.push(await this.#arithmetic.join(rows.map((row) => row[column]!)))
    return joined
  }

  /** `count` batches of random values that nobody knows, with MACs that were not checked. */
  async #randomShares(count: number): Promise<AuthShare> {
    const { field, slots } = this.#o
    const vectors: FieldVector[] = []
    for (let t = 0; t < count; t++) {
      await turn()
      vectors.push(field.random(slots))
    }
    const macs = await this.#authenticate(vectors)
    const [joined] = await this.#join(vectors.map((share, t) => [{ share, mac: macs[t]! }]))
    return joined!
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
          await turn()
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
        await turn()
      }
    }
    // The first failure ends the session; what else is under way then fails by itself.
    await Promise.all([evaluate(), ...this.#channel.others.map(decrypt)])
    return shares
  }

  /** This party's MACs of its shares, slots each: α_i·x_i + Σ_{j ≠ i} (α_i·x_j + α_j·x_i). */
  async #authenticate(vectors: readonly FieldVector[]): Promise<FieldVector[]> {
    const { field } = this.#o
    const theirs = this.#parties.map((party) => party?.alpha ?? 0)
    const items: Cross[] = []
    for (const v of vectors) {
      await turn()
      items.push({ theirs, factor: field.toBytes(v), packing: 'coefficients' })
    }
    const crosses = await this.#cross(items, 'macs')
    const macs: FieldVector[] = []
    for (const [k, v] of vectors.entries()) {
      await turn()
      macs.push(field.mulAdd(v, this.macKey, crosses[k]!))
      crosses[k]!.free()
    }
    return macs
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
