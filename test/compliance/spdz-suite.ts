import { describe, expect, it } from 'vitest'
import { CircuitBuilder } from '../../core/circuits/builder.ts'
import { evaluate } from '../../core/circuits/evaluate.ts'
import { lessThan } from '../../core/circuits/gadgets/compare.ts'
import { runCircuit } from '../../core/circuits/run.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import { LowGear } from '../../core/preprocessing/lowgear.ts'
import { spdzEngine } from '../../core/spdz/engine.ts'
import { outputShares, reconstructOutput } from '../../core/spdz/output.ts'
import { joinSpdz } from '../../core/spdz/party.ts'
import type { NodeId, Session } from '../../core/transport/types.ts'
import { localBgv, reveal, SLOTS } from '../unit/preprocessing/committee.ts'
import { deal, unnoted } from '../unit/spdz/dealer.ts'

export interface Sessions {
  readonly sessions: readonly Session[]
  /** Takes a party off the network at once. */
  kill(index: number): Promise<void>
  stop(): Promise<void>
}

const TIMEOUT_MS = 5000

/** Preprocessing and the online phase over any transport. */
export function spdzSuite(name: string, open: (n: number) => Promise<Sessions>): void {
  const partiesOf = (sessions: readonly Session[]): NodeId[] => sessions.map((s) => s.self)

  describe(`SPDZ over ${name}`, () => {
    it('makes triples with three parties', async () => {
      const net = await open(3)
      const parties = partiesOf(net.sessions)
      const gears = await Promise.all(
        net.sessions.map((session, index) =>
          LowGear.start({
            field,
            slots: SLOTS,
            bgv: localBgv(),
            checks: () => unnoted,
            session,
            parties,
            index,
            timeoutMs: TIMEOUT_MS,
          }),
        ),
      )
      const made = await Promise.all(gears.map((gear) => gear.triples(2)))
      const [a, b, c] = (['a', 'b', 'c'] as const).map((k) =>
        reveal(
          gears,
          made.map((t) => t[k]),
        ),
      )
      expect([a!.valid, b!.valid, c!.valid]).toEqual([true, true, true])
      expect(field.equal(field.mul(a!.value, b!.value), c!.value)).toBe(true)
      await net.stop()
    })

    it('multiplies, compares and gives the result to the requester', async () => {
      const net = await open(3)
      const parties = partiesOf(net.sessions)
      const materials = deal(parties)
      const b = new CircuitBuilder()
      const [x, y] = [b.input(50), b.input(50)]
      const circuit = b
        .output(b.inner(x, y))
        .output(b.sum(lessThan(b, x, y, 33, field.modulus)))
        .build()
      const values = [0, 1].map((k) =>
        Array.from({ length: 50 }, (_, i) => BigInt(((i + k) * 7919) % 101) - 50n),
      )
      const parts = await Promise.all(
        net.sessions.map(async (session, index) => {
          const material = materials[index]!
          const party = await joinSpdz({
            field,
            session,
            parties,
            material,
            roundTimeoutMs: TIMEOUT_MS,
            chunk: 64,
          })
          const inputs = []
          for (const [owner, v] of values.entries())
            inputs.push(await party.input(owner, index === owner ? field.fromBigints(v) : 50))
          const result = await runCircuit(spdzEngine(party, material), circuit, inputs)
          return outputShares(party, material, result)
        }),
      )
      expect(field.toBigints(reconstructOutput(field, parts))).toEqual(
        evaluate(circuit, field.modulus, values),
      )
      await net.stop()
    })

    it('ends for all when one party vanishes', async () => {
      const net = await open(3)
      const parties = partiesOf(net.sessions)
      const materials = deal(parties)
      const joined = await Promise.all(
        net.sessions.map((session, index) =>
          joinSpdz({ field, session, parties, material: materials[index]!, roundTimeoutMs: TIMEOUT_MS }),
        ),
      )
      const input = await Promise.all(joined.map((p, i) => p.input(0, i === 0 ? field.random(4) : 4)))
      await net.kill(2)
      const ends = await Promise.allSettled(
        joined.slice(0, 2).map((p, i) => p.round([{ op: 'mul', a: input[i]!, b: input[i]! }], [])),
      )
      for (const end of ends)
        expect((end as PromiseRejectedResult).reason).toMatchObject({
          code: expect.stringMatching(/^MPC_(PARTY_LOST|ABORTED)$/),
        })
      await net.stop()
    })
  })
}
