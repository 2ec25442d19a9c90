import { afterEach, describe, expect, it } from 'vitest'
import { EnigmaError } from '../../../core/base/errors.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { joinCommittee } from '../../../core/shamir-mpc/party.ts'
import type { DegreeReduction, PartyOptions, ShamirParty } from '../../../core/shamir-mpc/types.ts'
import { HEADER_BYTES } from '../../../core/shamir-mpc/wire.ts'
import type { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { field, nodeId, openSessions } from './committee.ts'

let network: MemoryNetwork | undefined
afterEach(async () => {
  await Promise.all([...(network?.nodes.values() ?? [])].map((node) => node.stop()))
  network = undefined
})

type Outgoing = (message: Uint8Array, to: NodeId, number: number) => Uint8Array | undefined

/** A session whose messages another hand changes or withholds (undefined) before they leave. */
function meddle(session: Session, outgoing: Outgoing): Session {
  let number = 0
  return meddled(session, {
    send: async (to, message) => {
      const changed = outgoing(message, to, number++)
      if (changed) await session.send(to, changed)
    },
  })
}

const CHEAT = 1
const ROUNDS = 4

/** Four dependent multiplications and an opening by each party; party 1's session may be meddled with. */
async function work(
  n: number,
  threshold: number,
  outgoing: Outgoing,
  options: Partial<PartyOptions> = {},
  perParty: (index: number) => Partial<PartyOptions> = () => ({}),
): Promise<PromiseSettledResult<FieldVector>[]> {
  const opened = await openSessions(n)
  network = opened.network
  const parties = opened.sessions.map((s) => s.self)
  return Promise.allSettled(
    opened.sessions.map(async (session, index) => {
      const party = await joinCommittee({
        field,
        session: index === CHEAT ? meddle(session, outgoing) : session,
        committee: { parties, threshold },
        roundTimeoutMs: 5000,
        ...options,
        ...perParty(index),
      })
      return chain(party)
    }),
  )
}

async function chain(party: ShamirParty): Promise<FieldVector> {
  const one = field.fromBigints([1n, 1n])
  let value = one
  for (let i = 0; i < ROUNDS; i++) value = (await party.multiply([{ op: 'mul', a: value, b: one }]))[0]!
  return party.open(value)
}

const kindOf = (m: Uint8Array) => m[1]!
const roundOf = (m: Uint8Array) => new DataView(m.buffer, m.byteOffset).getUint32(4, true)
const isData = (m: Uint8Array) => [2, 3, 5].includes(kindOf(m))

const changes: [string, string, (message: Uint8Array, before: Uint8Array | undefined) => Uint8Array][] = [
  ['cut short', 'MALFORMED', (m) => m.subarray(0, m.length - 1)],
  ['an element short', 'MALFORMED', (m) => m.subarray(0, m.length - 32)],
  ['cut inside the header', 'MALFORMED', (m) => m.subarray(0, 10)],
  ['empty', 'MALFORMED', () => new Uint8Array(0)],
  ['with bytes appended', 'MALFORMED', (m) => Uint8Array.of(...m, 0)],
  ['of another version', 'MALFORMED', (m) => m.fill(9, 0, 1)],
  ['of another session', 'MALFORMED', (m) => m.fill(m[16]! ^ 1, 16, 17)],
  ['with reserved bits', 'MALFORMED', (m) => m.fill(1, 2, 3)],
  ['of an unknown kind', 'OUT_OF_STEP', (m) => m.fill(77, 1, 2)],
  ['of a later round', 'OUT_OF_STEP', (m) => m.fill(m[4]! + 1, 4, 5)],
  ['at another offset', 'OUT_OF_STEP', (m) => m.fill(1, 8, 9)],
  ['of another count', 'OUT_OF_STEP', (m) => m.fill(1, 12, 13)],
  ['with a value outside the field', 'NOT_CANONICAL', (m) => m.fill(0xff, HEADER_BYTES, HEADER_BYTES + 32)],
  ['replayed', 'OUT_OF_STEP', (m, before) => before ?? m],
]

describe.each<DegreeReduction>(['reshare', 'king'])('messages of a party (%s)', (degreeReduction) => {
  it.each(changes)('%s: the sender is blamed and everyone ends', async (_, reason, change) => {
    let before: Uint8Array | undefined
    let done = false
    const results = await work(
      3,
      1,
      (message) => {
        const again = before
        if (isData(message)) before = message
        if (done || !isData(message) || again === undefined) return message
        done = true
        return change(message.slice(), again)
      },
      { degreeReduction },
    )
    expect(done).toBe(true)
    const reasons = results.map((r) => {
      expect(r.status).toBe('rejected')
      return (r as PromiseRejectedResult).reason
    })
    const witness = reasons.filter((e) => e.details?.reason === reason)
    expect(witness).toHaveLength(1)
    expect(witness[0]).toMatchObject({ code: 'MPC_ABORTED', details: { index: CHEAT, party: nodeId(CHEAT) } })
    // The third is told who it was.
    const told = reasons.filter((e, i) => i !== CHEAT && e !== witness[0])
    expect(told).toHaveLength(1)
    expect(told[0].details).toMatchObject({ index: CHEAT, reason: 'TOLD' })
  })
})

describe('a silent party', () => {
  // Round 1 is the agreement on keys, then the products, last the opening.
  it.each([1, 2, 3, 4, 5, 6])(
    'from round %i on is named by every other party within the timeout',
    async (round) => {
      const results = await work(5, 2, (m) => (roundOf(m) >= round ? undefined : m), { roundTimeoutMs: 400 })
      results.forEach((r, index) => {
        // In the last round it may have got what it needed from the others.
        if (index === CHEAT) return
        expect(r.status).toBe('rejected')
        expect((r as PromiseRejectedResult).reason).toMatchObject({
          code: 'MPC_PARTY_LOST',
          details: { index: CHEAT, party: nodeId(CHEAT) },
        })
      })
    },
  )
})

describe('a party that dies', () => {
  it.each([1, 2, 3, 4, 5, 6])('in round %i is named by every other party', async (round) => {
    const results = await work(5, 2, (m) => {
      if (roundOf(m) >= round) network!.kill(nodeId(CHEAT))
      return m
    })
    results.forEach((r, index) => {
      // In the last round it may have got what it needed from the others.
      if (index === CHEAT) return
      expect(r.status).toBe('rejected')
      expect((r as PromiseRejectedResult).reason).toMatchObject({
        code: 'MPC_PARTY_LOST',
        details: { index: CHEAT },
      })
    })
  })
})

describe('an opening with a wrong share', () => {
  // A canonical element (its lowest byte differs), but not the share.
  const lie: Outgoing = (m) =>
    kindOf(m) === 3 ? m.fill(m[HEADER_BYTES]! ^ 1, HEADER_BYTES, HEADER_BYTES + 1) : m

  it('is refused', async () => {
    const results = await work(3, 1, lie)
    for (const index of [0, 2])
      expect((results[index] as PromiseRejectedResult).reason).toMatchObject({
        code: 'MPC_ABORTED',
        details: { reason: 'INCONSISTENT' },
      })
  })

  it('names the party where decoding can', async () => {
    const results = await work(5, 2, lie)
    for (const index of [0, 2, 3, 4])
      expect((results[index] as PromiseRejectedResult).reason).toMatchObject({
        code: 'MPC_ABORTED',
        details: { index: CHEAT, reason: expect.stringMatching(/INCONSISTENT|TOLD/) },
      })
  })
})

describe('the agreement before the first share', () => {
  it('names a party that is about to run something else', async () => {
    const results = await work(
      3,
      1,
      (m) => m,
      {},
      (index) => ({
        context: new Uint8Array(32).fill(index === CHEAT ? 1 : 0),
      }),
    )
    const details = results.map((r) => (r as PromiseRejectedResult).reason.details)
    expect(details[0]).toMatchObject({ index: CHEAT, reason: 'DIFFERENT_PROGRAM' })
    expect(details[2]).toMatchObject({ index: CHEAT, reason: 'DIFFERENT_PROGRAM' })
  })

  it.each<[string, Partial<PartyOptions>]>([
    ['chunks', { chunk: 5 }],
    ['degree reduction', { degreeReduction: 'king' }],
    ['threshold', { committee: { parties: [0, 1, 2, 3, 4].map(nodeId), threshold: 1 } }],
  ])('refuses different %s', async (_, other) => {
    const results = await work(
      5,
      2,
      (m) => m,
      {},
      (index) => (index === CHEAT ? other : {}),
    )
    for (const r of results)
      expect((r as PromiseRejectedResult).reason.details.reason).toMatch(/DIFFERENT_PROGRAM|TOLD/)
  })
})

describe('cancellation', () => {
  it('ends a party at once and tells the others', async () => {
    const controller = new AbortController()
    const results = await work(
      3,
      1,
      (m) => {
        if (isData(m) && roundOf(m) === 3) {
          controller.abort()
          return undefined
        }
        return m
      },
      {},
      (index) => (index === CHEAT ? { signal: controller.signal } : {}),
    )
    const reasons = results.map((r) => (r as PromiseRejectedResult).reason)
    expect(reasons[CHEAT]).toMatchObject({ code: 'CANCELLED' })
    expect(reasons[0]).toMatchObject({ code: 'MPC_ABORTED', details: { index: CHEAT, reason: 'TOLD' } })
    expect(reasons[2]).toMatchObject({ code: 'MPC_ABORTED', details: { index: CHEAT, reason: 'TOLD' } })
  })

  it('by close(reason) ends a pending operation with that reason', async () => {
    const opened = await openSessions(3)
    network = opened.network
    const committee = { parties: opened.sessions.map((s) => s.self), threshold: 1 }
    const parties = await Promise.all(
      opened.sessions.map((session) => joinCommittee({ field, session, committee })),
    )
    const one = field.fromBigints([1n])
    const pending = parties[0]!.multiply([{ op: 'mul', a: one, b: one }])
    const refused = expect(pending).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await parties[0]!.close(new EnigmaError('NOT_FOUND', 'gone'))
    await refused
    const other = parties[1]!.multiply([{ op: 'mul', a: one, b: one }])
    await expect(other).rejects.toMatchObject({ code: 'MPC_ABORTED', details: { index: 0 } })
  })
})

describe('a committee', () => {
  it.each([
    [2, 1, 'MPC_COMMITTEE_TOO_SMALL'],
    [4, 2, 'MPC_COMMITTEE_TOO_SMALL'],
    [3, 0, 'MPC_COMMITTEE_TOO_SMALL'],
    [3, 0.5, 'MPC_COMMITTEE_TOO_SMALL'],
  ])('of %i with threshold %d is refused', async (n, threshold, code) => {
    const results = await work(n, threshold, (m) => m)
    for (const r of results) expect((r as PromiseRejectedResult).reason).toMatchObject({ code })
  })

  it('must be exactly the session', async () => {
    const { sessions, network: opened } = await openSessions(4)
    network = opened
    for (const parties of [
      [0, 1, 2].map(nodeId),
      [0, 1, 2, 3, 4].map(nodeId),
      [1, 2, 3, 1].map(nodeId),
      [0, 1, 2, 2].map(nodeId),
    ])
      await expect(
        joinCommittee({ field, session: sessions[0]!, committee: { parties, threshold: 1 } }),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
