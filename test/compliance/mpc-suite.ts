import { afterEach, describe, expect, it } from 'vitest'
import { CircuitBuilder } from '../../core/circuits/builder.ts'
import { evaluate } from '../../core/circuits/evaluate.ts'
import { reconstructOutput } from '../../core/shamir-mpc/output.ts'
import { joinCommittee } from '../../core/shamir-mpc/party.ts'
import { runProgram } from '../../core/shamir-mpc/program.ts'
import type { ShamirParty } from '../../core/shamir-mpc/types.ts'
import type { Session } from '../../core/transport/types.ts'
import { deal, field } from '../unit/shamir-mpc/committee.ts'

export interface SessionHarness {
  readonly sessions: Session[]
  /** The node of party i vanishes. */
  kill(index: number): Promise<void>
  stop(): Promise<void>
}

/** What the honest-majority protocol must do over any transport. */
export function mpcSuite(name: string, open: (n: number) => Promise<SessionHarness>): void {
  describe(`honest-majority computation over ${name}`, () => {
    let harness: SessionHarness | undefined
    afterEach(async () => {
      await harness?.stop()
      harness = undefined
    })

    async function committee(n: number, threshold: number): Promise<ShamirParty[]> {
      harness = await open(n)
      const parties = harness.sessions.map((s) => s.self)
      return Promise.all(
        harness.sessions.map((session) =>
          joinCommittee({
            field,
            session,
            committee: { parties, threshold },
            roundTimeoutMs: 20_000,
            chunk: 512,
          }),
        ),
      )
    }

    it('runs a program of several layers over many chunks and says goodbye', async () => {
      const parties = await committee(3, 1)
      const length = 3000
      const b = new CircuitBuilder()
      const [x, y] = [b.input(length), b.input(length)]
      const xy = b.mul(x, y)
      const circuit = b
        .output(b.inner(xy, b.add(xy, y)))
        .output(b.mul(xy, x))
        .build()
      const inputs = [1n, 7n].map((k) => Array.from({ length }, (_, i) => BigInt(i) * k - 99n))
      const shares = deal(inputs, 3, 1)
      const layers: number[] = []
      const outputs = await Promise.all(
        parties.map((p, i) =>
          runProgram(p, circuit, shares[i]!, i === 0 ? { onProgress: (q) => layers.push(q.layer) } : {}),
        ),
      )
      expect(layers).toEqual([1, 2, 3])
      const { values, inconsistent } = await reconstructOutput(
        field,
        outputs.map((o, index) => ({ index, values: o })),
        1,
      )
      expect(inconsistent).toEqual([])
      expect(field.toBigints(values)).toEqual(evaluate(circuit, field.modulus, inputs))
      await Promise.all(parties.map((p) => p.close()))
      await expect(parties[0]!.open(outputs[0]!)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    })

    it('shares, multiplies and opens the inputs of its own parties', async () => {
      const parties = await committee(5, 2)
      const mine = [3n, -4n, 5n]
      const opened = await Promise.all(
        parties.map(async (p) => {
          const a = await p.input(1, p.index === 1 ? field.fromBigints(mine) : 3)
          const b = await p.input(4, p.index === 4 ? field.fromBigints([10n, 20n, 30n]) : 3)
          const [c] = await p.multiply([{ op: 'mul', a, b }])
          return field.toBigints(await p.open(await p.refresh(c!)))
        }),
      )
      for (const o of opened) expect(o).toEqual([30n, field.modulus - 80n, 150n])
      await Promise.all(parties.map((p) => p.close()))
    })

    it('names a party that vanishes, and every other party ends', async () => {
      const parties = await committee(3, 1)
      const work = parties.map(async (p) => {
        const one = field.fromBigints([1n])
        let value = one
        for (let i = 0; ; i++) {
          if (i === 5 && p.index === 2) await harness!.kill(2)
          ;[value] = (await p.multiply([{ op: 'mul', a: value, b: one }])) as [typeof one]
        }
      })
      const results = await Promise.allSettled(work)
      for (const index of [0, 1])
        expect(results[index]).toMatchObject({
          status: 'rejected',
          reason: { code: 'MPC_PARTY_LOST', details: { index: 2, party: parties[0]!.committee.parties[2] } },
        })
      expect(results[2]!.status).toBe('rejected')
    })
  })
}
