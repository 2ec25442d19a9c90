import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinCommittee } from '../../../core/shamir-mpc/party.ts'
import type { Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { field, openSessions } from '../../unit/shamir-mpc/committee.ts'

const CHEAT = 1

const mutation = fc.record({
  message: fc.nat({ max: 14 }),
  kind: fc.constantFrom('flip', 'cut', 'grow', 'drop', 'repeat', 'noise'),
  at: fc.nat(),
  value: fc.integer({ min: 1, max: 255 }),
  noise: fc.uint8Array({ maxLength: 80 }),
})
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(session: Session, m: Mutation): Session {
  let number = 0
  return meddled(session, {
    send: async (to, message) => {
      if (number++ !== m.message) return session.send(to, message)
      if (m.kind === 'drop') return
      if (m.kind === 'flip') message[m.at % message.length]! ^= m.value
      if (m.kind === 'repeat') await session.send(to, message)
      if (m.kind === 'cut') await session.send(to, message.subarray(0, m.at % message.length))
      else if (m.kind === 'grow') await session.send(to, Uint8Array.of(...message, m.value))
      else await session.send(to, m.kind === 'noise' ? m.noise : message)
    },
  })
}

describe('one changed message of one party', () => {
  it.each(['reshare', 'king'] as const)(
    '%s: every party ends, with a result or a typed error',
    async (degreeReduction) => {
      await fc.assert(
        fc.asyncProperty(mutation, async (m) => {
          const { network, sessions } = await openSessions(3)
          const parties = sessions.map((s) => s.self)
          const results = await Promise.allSettled(
            sessions.map(async (session, index) => {
              const party = await joinCommittee({
                field,
                session: index === CHEAT ? mutate(session, m) : session,
                committee: { parties, threshold: 1 },
                roundTimeoutMs: 200,
                chunk: 2,
                degreeReduction,
              })
              const x = await party.input(CHEAT, index === CHEAT ? field.fromBigints([2n, 3n, 4n]) : 3)
              const [y] = await party.multiply([{ op: 'mul', a: x, b: x }])
              return field.toBigints(await party.open(y!))
            }),
          )
          for (const [index, r] of results.entries()) {
            if (r.status === 'fulfilled') continue
            expect(['MPC_ABORTED', 'MPC_PARTY_LOST']).toContain(r.reason.code)
            // What an honest party sees for itself points at the culprit; hearsay may come from the culprit.
            // A message lost on a reliable channel is no fault that anybody could place.
            if (m.kind === 'drop') continue
            const { index: blamed, reason } = r.reason.details
            if (index !== CHEAT && blamed !== undefined && reason !== 'TOLD') expect(blamed).toBe(CHEAT)
          }
          await Promise.all([...network.nodes.values()].map((node) => node.stop()))
        }),
        { numRuns: 150 },
      )
    },
  )
})
