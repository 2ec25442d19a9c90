import { randomBytes } from 'node:crypto'
import { EnigmaError } from '../../../core/base/errors.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { LowGear } from '../../../core/preprocessing/lowgear.ts'
import { outputShares, reconstructOutput } from '../../../core/spdz/output.ts'
import { joinSpdz } from '../../../core/spdz/party.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { localBgv, reveal, SLOTS, sessions } from '../../unit/preprocessing/committee.ts'
import { deal, unnoted } from '../../unit/spdz/dealer.ts'

/** What a corrupted party does with one of its messages. */
export const TAMPERINGS = [
  'flip',
  'truncate',
  'extend',
  'zero',
  'step',
  'number',
  'session',
  'swap',
  'replay',
  'drop',
] as const
export type Tampering = (typeof TAMPERINGS)[number]

export interface Case {
  readonly protocol: 'preprocessing' | 'online'
  readonly n: number
  /** Party 0 is honest; this one is not, and so may be all others. */
  readonly cheat: number
  readonly tampering: Tampering
  /** Which of its messages, as a share of all it sends. */
  readonly at: number
  /** The same to everybody, or to one recipient only (equivocation). */
  readonly everybody: boolean
  readonly bit: number
}

export interface Outcome {
  /** Whether the message was sent at all. */
  readonly tampered: boolean
  readonly accepted: boolean
  /** What is accepted is right. */
  readonly right: boolean
  /** Whom party 0 names, and why; it told nothing else. */
  readonly named?: { readonly index: number; readonly reason: string }
  readonly code?: string
}

/** The case of a number in a run with this seed. */
export function caseOf(seed: number, number: number): Case {
  let state = (seed * 2654435761 + number * 40503 + 12345) >>> 0
  const next = (limit: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0
    return state % limit
  }
  const n = [2, 3, 5][next(3)]!
  const protocol = next(4) === 0 && n < 5 ? 'preprocessing' : 'online'
  return {
    protocol,
    n,
    cheat: 1 + next(n - 1),
    tampering: TAMPERINGS[next(TAMPERINGS.length)]!,
    at: next(1000) / 1000,
    everybody: next(2) === 0,
    bit: next(1 << 20),
  }
}

/** Messages that a party sends in an honest run, to one recipient. */
const MESSAGES: Record<Case['protocol'], number> = { preprocessing: 26, online: 26 }
const TIMEOUT_MS = 400

/** Wraps the cheat's session: one numbered message to each recipient, or to party 0 alone, is changed. */
function wrap(c: Case, mark: () => void) {
  return (session: Session, index: number): Session => {
    if (index !== c.cheat) return session
    const counts = new Map<string, number>()
    const held = new Map<string, Uint8Array>()
    const target = Math.floor(c.at * MESSAGES[c.protocol])
    const send = async (to: NodeId, message: Uint8Array): Promise<void> => {
      const count = counts.get(to) ?? 0
      counts.set(to, count + 1)
      const before = held.get(to)
      if (before !== undefined) {
        held.delete(to)
        await session.send(to, message)
        return session.send(to, before)
      }
      const hit = count === target && (c.everybody || to === session.peers.find((p) => p.endsWith('1')))
      if (!hit) return session.send(to, message)
      mark()
      const changed = message.slice()
      switch (c.tampering) {
        case 'flip':
          changed[16 + (c.bit % Math.max(1, message.length - 16))]! ^= 1 << (c.bit % 8)
          return session.send(to, changed)
        case 'truncate':
          return session.send(to, message.subarray(0, message.length - 1 - (c.bit % 8)))
        case 'extend':
          return session.send(to, Buffer.concat([message, new Uint8Array(1 + (c.bit % 40))]))
        case 'zero':
          return session.send(to, changed.fill(0, 16))
        case 'step':
          changed[1] = 1 + (c.bit % 16)
          return session.send(to, changed)
        case 'number':
          changed[4]! ^= 1 + (c.bit % 3)
          return session.send(to, changed)
        case 'session':
          changed[8 + (c.bit % 8)]! ^= 0x10
          return session.send(to, changed)
        case 'swap':
          held.set(to, message)
          return
        case 'replay':
          await session.send(to, message)
          return session.send(to, message)
        case 'drop':
          return
      }
    }
    return meddled(session, { send })
  }
}

/** Runs one case in this process and tells what party 0, the honest one, made of it. */
export async function runCase(c: Case): Promise<Outcome> {
  let tampered = false
  const opened = await sessions(
    c.n,
    wrap(c, () => {
      tampered = true
    }),
  )
  const settled = c.protocol === 'preprocessing' ? await preprocess(opened) : await compute(opened)
  const own = settled.results[0]!
  if (own.status === 'rejected') {
    const error = EnigmaError.from(own.reason)
    const { index, reason } = error.details ?? {}
    return {
      tampered,
      accepted: false,
      right: true,
      code: error.code,
      ...(error.code === 'MPC_ABORTED' && typeof index === 'number' && reason !== 'TOLD'
        ? { named: { index, reason: String(reason) } }
        : {}),
    }
  }
  // Party 0 is content. What it has is right, as far as the others can contradict it at all.
  return { tampered, accepted: true, right: settled.right() }
}

interface Settled {
  readonly results: readonly PromiseSettledResult<unknown>[]
  right(): boolean
}

async function preprocess({
  parties,
  sessions: opened,
}: Awaited<ReturnType<typeof sessions>>): Promise<Settled> {
  const gears: LowGear[] = []
  const results = await Promise.allSettled(
    opened.map(async (session, index) => {
      const gear = await LowGear.start({
        field,
        slots: SLOTS,
        bgv: localBgv(),
        checks: () => unnoted,
        session,
        parties,
        index,
        timeoutMs: TIMEOUT_MS,
      })
      gears[index] = gear
      return gear.triples(1)
    }),
  )
  return {
    results,
    right() {
      const made = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
      if (made.length < parties.length) return true
      const [a, b, product] = (['a', 'b', 'c'] as const).map((k) =>
        reveal(
          gears,
          made.map((t) => t[k]),
        ),
      )
      return (
        a!.valid && b!.valid && product!.valid && field.equal(field.mul(a!.value, b!.value), product!.value)
      )
    },
  }
}

async function compute({
  parties,
  sessions: opened,
}: Awaited<ReturnType<typeof sessions>>): Promise<Settled> {
  const materials = deal(parties, new DataView(randomBytes(4).buffer).getUint32(0))
  const x = field.random(4)
  const y = field.random(4)
  const results = await Promise.allSettled(
    opened.map(async (session, index) => {
      const material = materials[index]!
      const party = await joinSpdz({
        field,
        session,
        parties,
        material,
        roundTimeoutMs: TIMEOUT_MS,
        chunk: 3,
      })
      const a = await party.input(0, index === 0 ? x : 4)
      const b = await party.input(1, index === 1 ? y : 4)
      const first = await party.round([{ op: 'mul', a, b }], [a])
      await party.check()
      const second = await party.round([{ op: 'inner', a: first.products[0]!, b: a }], [])
      return outputShares(party, material, second.products[0]!)
    }),
  )
  return {
    results,
    right() {
      const parts = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
      if (parts.length < parties.length) return true
      const result = reconstructOutput(field, parts)
      return field.equal(result, field.inner(field.mul(x, y), x))
    },
  }
}

/** Why an outcome is a violation; undefined when it is fine. */
export function violation(c: Case, outcome: Outcome): string | undefined {
  if (!outcome.right) return 'something wrong was accepted'
  if (outcome.named !== undefined && outcome.named.index !== c.cheat)
    return `party ${outcome.named.index} was named (${outcome.named.reason}) for what party ${c.cheat} did`
  return undefined
}
