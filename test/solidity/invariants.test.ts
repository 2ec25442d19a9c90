import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LedgerClient } from '../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../core/ledger/constants.ts'
import type { Bytes32, NodeKey, Signer } from '../../core/ledger/types.ts'
import * as support from '../unit/ledger/support.ts'

let chain: support.TestChain
let ledger: LedgerClient
let signers: Signer[]
beforeAll(async () => {
  chain = await support.startChain({ unbondingSeconds: 0 })
  ledger = await chain.client({ pollMs: 10 })
  signers = await Promise.all([0, 1, 2].map(() => support.fundedSigner(ledger)))
})
afterAll(() => chain?.[Symbol.asyncDispose]())

const succeeds = (call: Promise<unknown>) =>
  call.then(
    () => true,
    () => false,
  )

describe('over random sequences of calls', () => {
  test('the registry owns exactly the deposits of its nodes, and lists exactly the active ones', async () => {
    const minimum = await ledger.minimumDeposit()
    const step = fc.record({
      action: fc.constantFrom('register', 'update', 'unbond', 'withdraw'),
      node: fc.nat(3),
      signer: fc.nat(2),
      extra: fc.integer({ min: -1, max: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
        const nodes: NodeKey[] = [0, 1, 2, 3].map(() => support.newNodeKey())
        const { registry } = chain.devnet.deployment.addresses
        const base = await ledger.balance(registry)
        const listed = new Set((await ledger.nodes()).map((n) => n.nodeId))
        const model = new Map<string, { owner: string; deposit: bigint; active: boolean }>()
        for (const { action, node: i, signer: j, extra } of steps) {
          const [node, signer] = [nodes[i]!, signers[j]!]
          const known = model.get(node.address)
          const deposit = minimum + BigInt(extra)
          const mine = known?.owner === signer.address
          const input = { hint: `h${extra}`, capacity: 1, deposit }
          // Repeating one's own registration or unbonding is AlreadyDone, a success that changes nothing.
          if (action === 'register') {
            const ok = known ? known.active && mine : extra >= 0
            expect(await succeeds(ledger.registerNode(signer, node, input))).toBe(ok)
            if (ok && !known) model.set(node.address, { owner: signer.address, deposit, active: true })
          } else if (action === 'update') {
            expect(await succeeds(ledger.updateNode(signer, node.address, input))).toBe(mine && known.active)
          } else if (action === 'unbond') {
            expect(await succeeds(ledger.unbondNode(signer, node.address))).toBe(mine)
            if (mine) known.active = false
          } else {
            const ok = mine && !known.active
            expect(await succeeds(ledger.withdrawNode(signer, node.address))).toBe(ok)
            if (ok) model.delete(node.address)
          }
        }
        const total = [...model.values()].reduce((sum, n) => sum + n.deposit, 0n)
        expect((await ledger.balance(registry)) - base).toBe(total)
        const active = (await ledger.nodes()).map((n) => n.nodeId).filter((id) => !listed.has(id))
        expect(active.sort()).toEqual(
          [...model]
            .filter(([, n]) => n.active)
            .map(([id]) => id)
            .sort(),
        )
        for (const node of nodes)
          expect(await ledger.isRegistered(node.address)).toBe(model.has(node.address))
      }),
      { numRuns: 6 },
    )
  })

  test('a use count is never exceeded, and authorised means open, admitted and not revoked', async () => {
    const owner = signers[0]!
    const identity = await support.pseudonym(ledger, owner)
    const predicate = await support.publish(ledger, owner, { kind: 'uses', max: 2 })
    const anyone = await support.publish(ledger, owner, { kind: 'anyone' })
    const step = fc.record({
      action: fc.constantFrom('request', 'admit', 'admit', 'cancel', 'fail', 'decline', 'revoke', 'regrant'),
      job: fc.nat(5),
      ref: fc.nat(1),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
        const inputs = [0, 1].map(() => support.referenceInput(identity, predicate))
        await ledger.createReferences(owner, inputs)
        const refs = inputs.map((i) => ledger.referenceId(i.identity, i.xRef))
        const grants = refs.map(() => ({ uses: 0, epoch: 0, revoked: false, limited: true }))
        const jobs: { id: Bytes32; ref: number; state: string; epoch: number; declined: boolean }[] = []
        for (const { action, job: j, ref: r } of steps) {
          const job = jobs[j % Math.max(1, jobs.length)]
          const grant = grants[job?.ref ?? r]!
          if (action === 'request') {
            const made = ledger.requestJob(signers[1]!, support.jobRequest([refs[r]!])).catch(() => undefined)
            const id = (await made)?.jobId
            expect(id !== undefined).toBe(!grants[r]!.revoked)
            if (id) jobs.push({ id, ref: r, state: 'requested', epoch: -1, declined: false })
          } else if (action === 'revoke') {
            await ledger.revoke(owner, refs[r]!)
            grants[r]!.revoked = true
          } else if (action === 'regrant') {
            const g = grants[r]!
            const ok = !g.revoked
            const next = g.limited ? anyone : predicate
            expect(await succeeds(ledger.changePredicates(owner, refs[r]!, next, ZERO_BYTES32))).toBe(ok)
            if (ok) grants[r] = { uses: 0, epoch: g.epoch + 1, revoked: false, limited: !g.limited }
          } else if (!job) {
          } else if (action === 'admit') {
            const fresh = job.state === 'requested' && !job.declined && !grant.revoked
            const allowed = fresh && (!grant.limited || grant.uses < 2)
            const repeated = job.epoch >= 0
            expect(await succeeds(ledger.admit(signers[1]!, job.id, [refs[job.ref]!]))).toBe(
              allowed || repeated,
            )
            if (allowed) {
              job.state = 'open'
              job.epoch = grant.epoch
              if (grant.limited) grant.uses++
            }
          } else if (action === 'decline') {
            const ok = job.state === 'requested' || job.state === 'open'
            expect(await succeeds(ledger.decline(owner, job.id, [refs[job.ref]!]))).toBe(ok)
            if (ok) job.declined = true
          } else if (action === 'cancel') {
            const ok = job.state === 'requested' || job.state === 'cancelled'
            expect(await succeeds(ledger.cancelJob(signers[1]!, job.id))).toBe(ok)
            if (ok) job.state = 'cancelled'
          } else {
            const ok = job.state !== 'cancelled'
            expect(await succeeds(ledger.failJob(signers[1]!, job.id, 'requester'))).toBe(ok)
            if (ok) job.state = 'failed'
          }
        }
        for (const [i, record] of (await ledger.references(refs)).entries()) {
          expect(record).toMatchObject({ uses: grants[i]!.uses, epoch: grants[i]!.epoch })
          expect(record!.uses).toBeLessThanOrEqual(2)
        }
        for (const job of jobs) {
          const grant = grants[job.ref]!
          const expected =
            job.state === 'open' && !job.declined && !grant.revoked && job.epoch === grant.epoch
          expect(await ledger.authorised(job.id, refs[job.ref]!)).toBe(expected)
          expect((await ledger.job(job.id))!.state).toBe(job.state)
        }
      }),
      { numRuns: 8 },
    )
  })
})
