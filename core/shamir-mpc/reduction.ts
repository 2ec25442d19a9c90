import { EnigmaError } from '../base/errors.ts'
import { Prg } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { Channel } from './channel.ts'
import { WINDOW } from './constants.ts'
import { coefficients, point } from './interpolate.ts'
import type { Preprocessing } from './preprocessing.ts'
import { derive, type PartyKeys } from './setup.ts'
import { KIND } from './wire.ts'

/** This party's local products [from, to): shares of degree 2t. The caller frees what it gets. */
export type Products = (from: number, to: number) => FieldVector

/** Takes a vector of shares of degree 2t to fresh shares of degree t. */
export interface Reducer {
  reduce(count: number, products: Products): Promise<FieldVector>
}

export interface ReducerOptions {
  readonly field: PrimeField
  readonly channel: Channel
  readonly keys: PartyKeys
  readonly n: number
  readonly t: number
  readonly index: number
  readonly chunk: number
}

/**
 * Runs `deal` some chunks ahead of `collect`, so that while one chunk travels the next is computed. Memory is
 * bounded by the window, and the event loop gets its turns.
 */
async function pipeline<Dealt>(
  field: PrimeField,
  count: number,
  chunk: number,
  deal: (offset: number, length: number, number: number) => { dealt: Dealt; sends: Promise<void>[] },
  collect: (dealt: Dealt, offset: number, length: number, number: number) => Promise<FieldVector>,
): Promise<FieldVector> {
  const chunks = Math.ceil(count / chunk)
  const lengthOf = (c: number) => Math.min(chunk, count - c * chunk)
  const flight: { dealt: Dealt; sends: Promise<void>[] }[] = []
  const parts: FieldVector[] = []
  // A party that cannot be reached ends the round even while another is awaited.
  let fail: (error: unknown) => void = () => undefined
  const broken = new Promise<never>((_, reject) => {
    fail = reject
  })
  broken.catch(() => undefined)
  for (let c = 0; c < chunks + WINDOW; c++) {
    await turn()
    if (c < chunks) {
      const next = deal(c * chunk, lengthOf(c), c)
      for (const s of next.sends) s.catch(fail)
      flight.push(next)
      await turn()
    }
    const done = c - WINDOW
    if (done < 0 || done >= chunks) continue
    const { dealt, sends } = flight.shift()!
    parts.push(await Promise.race([collect(dealt, done * chunk, lengthOf(done), done), broken]))
    await Promise.all(sends)
  }
  if (parts.length === 1) return parts[0]!
  const out = field.concat(parts)
  for (const p of parts) p.free()
  return out
}

/**
 * Degree reduction in one round (Gennaro–Rabin–Rabin 1998): each of the dealers 0 … 2t re-shares its local
 * product times its Lagrange coefficient, and everyone adds up what it got. A polynomial of degree t is fixed
 * by the product at 0 and any t other points, so a dealer and each of the t parties after it draw those
 * sub-shares from a pairwise key, and only n − 1 − t travel: one element per party and product at n = 3, as
 * little as Damgård–Nielsen sends in two rounds, and less arithmetic than pseudo-random double sharings for
 * every n that replicated keys allow (test/bench/mpc.ts).
 */
export class ReshareReducer implements Reducer {
  readonly #o: ReducerOptions
  /** Streams of sub-shares this party deals without sending them. */
  readonly #dealt: readonly Prg[]
  /** Streams of sub-shares this party gets without receiving them. */
  readonly #drawn: readonly Prg[]
  readonly #sendTo: readonly { to: number; row: readonly bigint[] }[]
  readonly #ownRow: readonly bigint[]
  readonly #receiveFrom: readonly number[]

  constructor(o: ReducerOptions) {
    this.#o = o
    const { n, t, index, field } = o
    const dealers = Array.from({ length: 2 * t + 1 }, (_, j) => j)
    const silent = (dealer: number) => Array.from({ length: t }, (_, k) => (dealer + 1 + k) % n)
    const stream = (dealer: number, to: number) =>
      new Prg(derive(o.keys.pair[dealer === index ? to : dealer]!, `reshare/${dealer}/${to}`))
    const deals = index <= 2 * t
    const mine = silent(index)
    const lambda = deals ? coefficients(field, dealers.map(point), 0n)[index]! : 0n
    const row = (k: number) => {
      const [first, ...rest] = coefficients(field, [0n, ...mine.map(point)], point(k))
      return [field.scalar.mul(first!, lambda), ...rest]
    }
    this.#ownRow = deals ? row(index) : []
    this.#dealt = deals ? mine.map((to) => stream(index, to)) : []
    this.#sendTo = deals
      ? Array.from({ length: n }, (_, to) => to)
          .filter((to) => to !== index && !mine.includes(to))
          .map((to) => ({ to, row: row(to) }))
      : []
    const others = dealers.filter((d) => d !== index)
    this.#drawn = others.filter((d) => silent(d).includes(index)).map((d) => stream(d, index))
    this.#receiveFrom = others.filter((d) => !silent(d).includes(index))
  }

  reduce(count: number, products: Products): Promise<FieldVector> {
    const { field, channel, chunk } = this.#o
    const round = channel.nextRound()
    return pipeline(
      field,
      count,
      chunk,
      (offset, length) => {
        const sends: Promise<void>[] = []
        const terms = this.#drawn.map((prg) => field.random(length, prg))
        if (this.#ownRow.length > 0) {
          const points = [
            products(offset, offset + length),
            ...this.#dealt.map((p) => field.random(length, p)),
          ]
          for (const { to, row } of this.#sendTo) {
            const sub = field.linear(row, points)
            sends.push(channel.send(to, KIND.data, round, offset, length, field.toBytes(sub)))
            sub.free()
          }
          terms.push(field.linear(this.#ownRow, points))
          for (const p of points) p.free()
        }
        return { dealt: addUp(field, terms), sends }
      },
      async (own, offset, length) => {
        const expected = { kind: KIND.data, round, offset, count: length, bytes: length * field.byteLength }
        const payloads = await Promise.all(this.#receiveFrom.map((from) => channel.receive(from, expected)))
        const terms = own === undefined ? [] : [own]
        payloads.forEach((payload, k) => {
          terms.push(readElements(field, channel, payload, this.#receiveFrom[k]!, round))
        })
        return addUp(field, terms)!
      },
    )
  }
}

/**
 * Degree reduction of Damgård–Nielsen 2007: shares of x·y − r of degree 2t go to a king, who opens the
 * difference (uniform, so it may know it) and tells everyone; [x·y] = [r] + difference. Two rounds, 2(n − 1)
 * elements a product in all. Each chunk has another king, so that load and bandwidth are even.
 */
export class KingReducer implements Reducer {
  readonly #o: ReducerOptions
  readonly #preprocessing: Preprocessing
  readonly #lambda: readonly bigint[]

  constructor(o: ReducerOptions, preprocessing: Preprocessing) {
    this.#o = o
    this.#preprocessing = preprocessing
    const dealers = Array.from({ length: 2 * o.t + 1 }, (_, j) => point(j))
    this.#lambda = coefficients(o.field, dealers, 0n)
  }

  reduce(count: number, products: Products): Promise<FieldVector> {
    const { field, channel, chunk, n, t, index } = this.#o
    const round = channel.nextRound()
    const kingOf = (number: number) => (round + number) % n
    const dealers = Array.from({ length: 2 * t + 1 }, (_, j) => j)
    return pipeline(
      field,
      count,
      chunk,
      (offset, length, number) => {
        const { low, high } = this.#preprocessing.doubleSharing(length)
        const king = kingOf(number)
        const sends: Promise<void>[] = []
        let masked: FieldVector | undefined
        if (index <= 2 * t) {
          const product = products(offset, offset + length)
          masked = field.sub(product, high)
          product.free()
          if (king !== index) {
            sends.push(channel.send(king, KIND.data, round, offset, length, field.toBytes(masked)))
            masked.free()
          }
        }
        high.free()
        return { dealt: { low, masked }, sends }
      },
      async ({ low, masked }, offset, length, number) => {
        const king = kingOf(number)
        const expected = { round, offset, count: length, bytes: length * field.byteLength }
        let difference: FieldVector
        if (king === index) {
          const shares = await Promise.all(
            dealers.map(async (from) =>
              from === index
                ? masked!
                : readElements(
                    field,
                    channel,
                    await channel.receive(from, { ...expected, kind: KIND.data }),
                    from,
                    round,
                  ),
            ),
          )
          difference = field.linear(this.#lambda, shares)
          for (const s of shares) s.free()
          const bytes = field.toBytes(difference)
          await Promise.all(
            Array.from({ length: n }, (_, to) => to)
              .filter((to) => to !== index)
              .map((to) => channel.send(to, KIND.king, round, offset, length, bytes)),
          )
        } else {
          const payload = await channel.receive(king, { ...expected, kind: KIND.king })
          difference = readElements(field, channel, payload, king, round)
        }
        const out = field.add(low, difference)
        low.free()
        difference.free()
        return out
      },
    )
  }
}

/** Strictly canonical elements, or the sender is named. */
export function readElements(
  field: PrimeField,
  channel: Channel,
  payload: Uint8Array,
  from: number,
  round: number,
): FieldVector {
  try {
    return field.fromBytes(payload)
  } catch (error) {
    if (!(error instanceof EnigmaError)) throw error
    throw channel.blame(from, round, 'NOT_CANONICAL', 'sent a value outside the field')
  }
}

function addUp(field: PrimeField, terms: FieldVector[]): FieldVector | undefined {
  let total = terms[0]
  for (const term of terms.slice(1)) {
    const next = field.add(total!, term)
    total!.free()
    term.free()
    total = next
  }
  return total
}
