import { createHash, hkdfSync } from 'node:crypto'
import { concatBytes, equalBytes, utf8, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import type { Channel } from './channel.ts'
import { MAX_REPLICATED_PARTIES } from './constants.ts'
import { subsets } from './interpolate.ts'
import type { DegreeReduction } from './types.ts'
import { KIND } from './wire.ts'

export interface ReplicatedKey {
  readonly members: readonly number[]
  readonly key: Uint8Array
}

export interface PartyKeys {
  /** Key shared with each other party, by index; absent for this party. */
  readonly pair: readonly (Uint8Array | undefined)[]
  /** One key for each set of n − t parties that this party is in: random values of degree t. */
  readonly random: readonly ReplicatedKey[]
  /** One key for each set of n − t + 1 parties: sharings of zero of degree t. */
  readonly zero: readonly ReplicatedKey[]
}

export interface SetupOptions {
  readonly n: number
  readonly t: number
  readonly index: number
  readonly modulus: bigint
  readonly chunk: number
  readonly reduction: DegreeReduction
  /** 32 bytes. */
  readonly context: Uint8Array
}

const KEY_BYTES = 32
const REDUCTIONS: readonly DegreeReduction[] = ['reshare', 'king']

/** An independent 32-byte key for one purpose (HKDF-SHA-256). */
export function derive(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', key, new Uint8Array(0), utf8(`enigma/shamir/${purpose}`), KEY_BYTES),
  )
}

/**
 * The first round: everyone tells everyone what it is about to run (refused when it differs:
 * DIFFERENT_PROGRAM) and half of a pairwise key; the lowest party of each replicated set picks the set's key.
 * Secrecy of the keys is that of the session's channels.
 */
export async function agree(channel: Channel, o: SetupOptions): Promise<PartyKeys> {
  if (o.context.length !== 32) throw new EnigmaError('INVALID_ARGUMENT', 'the context digest has 32 bytes')
  const round = channel.nextRound()
  const everyone = Array.from({ length: o.n }, (_, j) => j)
  const peers = everyone.filter((j) => j !== o.index)
  const replicated = o.n <= MAX_REPLICATED_PARTIES
  const sets = [
    ...(replicated ? subsets(o.n, o.n - o.t + 1).map((members) => ({ members, zero: true })) : []),
    ...(replicated && o.reduction === 'king'
      ? subsets(o.n, o.n - o.t).map((members) => ({ members, zero: false }))
      : []),
  ]
  const ledBy = (leader: number, member: number) =>
    sets.flatMap((s, k) => (s.members[0] === leader && s.members.includes(member) ? [k] : []))
  const facts = digest(o)
  const keys = sets.map((s) => (s.members[0] === o.index ? randomBytes(KEY_BYTES) : undefined))
  const halves = peers.map(() => randomBytes(KEY_BYTES))

  const sent = peers.map((to, p) => {
    const payload = concatBytes(facts, halves[p]!, ...ledBy(o.index, to).map((k) => keys[k]!))
    return channel.send(to, KIND.hello, round, 0, o.index, payload)
  })
  for (const s of sent) s.catch(() => undefined)
  const pair: (Uint8Array | undefined)[] = everyone.map(() => undefined)
  await Promise.all(
    peers.map(async (from, p) => {
      const payload = await channel.receive(from, { kind: KIND.hello, round, offset: 0, count: from })
      if (payload.length < 2 * KEY_BYTES || !equalBytes(payload.subarray(0, 32), facts))
        throw channel.blame(from, round, 'DIFFERENT_PROGRAM', 'is about to run something else')
      const led = ledBy(from, o.index)
      if (payload.length !== (2 + led.length) * KEY_BYTES)
        throw channel.blame(from, round, 'MALFORMED', 'sent a message of the wrong length')
      const theirs = payload.subarray(32, 64)
      const both = from < o.index ? concatBytes(theirs, halves[p]!) : concatBytes(halves[p]!, theirs)
      pair[from] = derive(both, 'pair')
      wipe(both, halves[p])
      led.forEach((k, i) => {
        keys[k] = payload.slice(64 + i * KEY_BYTES, 64 + (i + 1) * KEY_BYTES)
      })
    }),
  )
  await Promise.all(sent)
  const mine = sets.flatMap((s, k) =>
    s.members.includes(o.index) ? [{ members: s.members, key: keys[k]!, zero: s.zero }] : [],
  )
  return { pair, random: mine.filter((s) => !s.zero), zero: mine.filter((s) => s.zero) }
}

/** Everything that must be equal on both ends before a first share moves. */
function digest(o: SetupOptions): Uint8Array {
  const facts = [o.n, o.t, o.modulus.toString(16), o.chunk, REDUCTIONS.indexOf(o.reduction)].join('/')
  return new Uint8Array(
    createHash('sha256').update(`enigma/shamir/hello/${facts}/`).update(o.context).digest(),
  )
}
