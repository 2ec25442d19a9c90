import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../core/base/bytes.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import { jobSeed } from '../../../core/ledger/ids.ts'
import {
  type Address,
  type Bytes32,
  FAIL_REASONS,
  type NodeKey,
  type Signer,
} from '../../../core/ledger/types.ts'
import type { Predicate } from '../../../core/predicates/types.ts'
import * as support from './support.ts'

let chain: support.TestChain
let ledger: LedgerClient
let requester: Signer
let stranger: Signer
let owners: Signer[]
let identities: Address[]
let nodes: NodeKey[]

beforeAll(async () => {
  chain = await support.startChain()
  ledger = await chain.client()
  requester = await support.fundedSigner(ledger)
  stranger = await support.fundedSigner(ledger)
  owners = await Promise.all([0, 1, 2].map(() => support.fundedSigner(ledger)))
  identities = await Promise.all(owners.map((o) => support.pseudonym(ledger, o)))
  nodes = [0, 1, 2].map(() => support.newNodeKey())
  const deposit = await ledger.minimumDeposit()
  for (const node of nodes) await ledger.registerNode(stranger, node, { hint: '', capacity: 1, deposit })
})
afterAll(() => chain?.[Symbol.asyncDispose]())

async function share(predicate: Predicate, owner = 0): Promise<Bytes32> {
  const id = await support.publish(ledger, owners[owner]!, predicate)
  const input = support.referenceInput(identities[owner]!, id)
  await ledger.createReference(owners[owner]!, input)
  return ledger.referenceId(input.identity, input.xRef)
}

const now = () => Math.floor(Date.now() / 1000)

async function requestOf(refs: Bytes32[], rest: object = {}) {
  return ledger.requestJob(requester, support.jobRequest(refs, rest))
}

describe('a job', () => {
  test('goes from request over approval and admission to its result', async () => {
    const refs = await Promise.all(
      [0, 1, 2].map((i) => share({ kind: 'and', of: [{ kind: 'cohort', min: 3 }, { kind: 'approval' }] }, i)),
    )
    const request = support.jobRequest(refs, { params: utf8('weights') })
    const { jobId, refs: ordered } = await ledger.requestJob(requester, request)
    expect([...ordered].sort()).toEqual([...refs].sort())
    const owner = new Map((await ledger.references(refs)).map((r) => [r!.ref, r!.owner]))
    expect(ordered.map((r) => owner.get(r)!)).toEqual([...owner.values()].sort())
    expect(await ledger.job(jobId)).toMatchObject({
      state: 'requested',
      requester: requester.address,
      cohort: 3,
      refsCount: 3,
      resultKey: toHex(request.resultKey),
    })
    expect(await ledger.jobInputs(jobId)).toEqual({ refs: ordered, params: utf8('weights') })
    expect(await ledger.requestJob(requester, request)).toEqual({ jobId, refs: ordered })

    expect((await ledger.admissible(jobId, refs)).map((e) => e?.code)).toEqual(
      Array(3).fill('APPROVAL_MISSING'),
    )
    await ledger.approve(owners[0]!, jobId, [refs[0]!])
    await expect(ledger.approve(owners[0]!, jobId, [refs[1]!])).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    const approvals = await Promise.all(
      [1, 2].map(async (i) => {
        const approval = { jobId, ref: refs[i]!, approved: true }
        return { ...approval, signature: await ledger.signApproval(owners[i]!, approval) }
      }),
    )
    const forged = { ...approvals[0]!, signature: await ledger.signApproval(stranger, approvals[0]!) }
    await expect(ledger.relayApprovals(stranger, jobId, [forged])).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    await expect(ledger.admit(requester, jobId, ordered)).rejects.toMatchObject({ code: 'APPROVAL_MISSING' })
    await ledger.relayApprovals(stranger, jobId, approvals)
    expect(await ledger.jobRef(jobId, refs[1]!)).toMatchObject({ approval: 'approved', admitted: false })
    expect(await ledger.authorised(jobId, refs[0]!)).toBe(false)
    expect(await ledger.seed(jobId)).toBeUndefined()

    await ledger.admit(requester, jobId, ordered.slice(0, 2))
    expect(await ledger.authorised(jobId, ordered[0]!)).toBe(false)
    await ledger.admit(requester, jobId, ordered.slice(2))
    expect(await ledger.authorisedMany(jobId, [...refs, support.randomWord()])).toEqual([
      true,
      true,
      true,
      false,
    ])
    const open = (await ledger.job(jobId))!
    const block = await chain.rpc<{ hash: Bytes32 }>('eth_getBlockByNumber', [
      `0x${open.openBlock.toString(16)}`,
      false,
    ])
    expect(await ledger.seed(jobId)).toEqual(jobSeed(jobId, block.hash))

    const result = {
      jobId,
      attempt: 1,
      resultDigest: support.randomWord(),
      transcriptDigest: support.randomWord(),
    }
    const signatures = await Promise.all(
      nodes.map(async (n) => ({ nodeId: n.address, signature: await ledger.signResult(n, result) })),
    )
    await expect(ledger.postResult(stranger, result, signatures.slice(0, 1))).rejects.toMatchObject({
      details: { error: 'TooFewSignatures' },
    })
    await expect(ledger.postResult(stranger, result, [signatures[0]!, signatures[0]!])).rejects.toMatchObject(
      { details: { error: 'NotAscending' } },
    )
    await expect(
      ledger.postResult(stranger, { ...result, resultDigest: ZERO_BYTES32 }, signatures),
    ).rejects.toMatchObject({ details: { error: 'InvalidSignature' } })
    const outsider = support.newNodeKey()
    const outside = { nodeId: outsider.address, signature: await ledger.signResult(outsider, result) }
    await expect(ledger.postResult(stranger, result, [signatures[0]!, outside])).rejects.toMatchObject({
      details: { error: 'NotServing' },
    })
    await ledger.postResult(stranger, result, signatures.slice(0, 2))
    expect(await ledger.job(jobId)).toMatchObject({ state: 'done', resultDigest: result.resultDigest })
    expect(await ledger.authorised(jobId, refs[0]!)).toBe(false)
    expect(await ledger.postResult(stranger, result, signatures)).toMatchObject({ txHash: null })
  })

  test('over hundreds of references is loaded and admitted in pages', async () => {
    const predicate = await support.publish(ledger, owners[0]!, { kind: 'cohort', min: 2 })
    const refs: Bytes32[] = []
    for (const i of [0, 1]) {
      const inputs = Array.from({ length: 110 }, () => support.referenceInput(identities[i]!, predicate))
      await ledger.createReferences(owners[i]!, inputs)
      refs.push(...inputs.map((x) => ledger.referenceId(x.identity, x.xRef)))
    }
    const { jobId, refs: ordered } = await requestOf(refs)
    expect(await ledger.job(jobId)).toMatchObject({ state: 'requested', cohort: 2, refsAdded: 220 })
    expect((await ledger.jobInputs(jobId)).refs).toEqual(ordered)
    await ledger.admit(requester, jobId, ordered)
    expect((await ledger.authorisedMany(jobId, ordered)).every(Boolean)).toBe(true)
  })
})

describe('a predicate that does not hold refuses admission with its own error, and holders release nothing', () => {
  async function refused(refs: Bytes32[], code: string, rest: object = {}, error = code) {
    const { jobId, refs: ordered } = await requestOf(refs, rest)
    expect((await ledger.admissible(jobId, [refs[0]!]))[0]).toMatchObject({ code })
    await expect(ledger.admit(requester, jobId, ordered)).rejects.toMatchObject({ code })
    expect((await ledger.job(jobId))?.state, error).toBe('requested')
    expect(await ledger.authorisedMany(jobId, ordered)).toEqual(ordered.map(() => false))
  }

  test('requester outside it', async () => {
    await refused([await share({ kind: 'keys', accounts: [stranger.address] })], 'PERMISSION_DENIED')
  })
  test('no compute predicate at all', async () => {
    const input = support.referenceInput(identities[0]!, ZERO_BYTES32)
    await ledger.createReference(owners[0]!, input)
    await refused([ledger.referenceId(input.identity, input.xRef)], 'PERMISSION_DENIED')
  })
  test('cohort too small, counted in owners and not in references', async () => {
    const p: Predicate = { kind: 'cohort', min: 2 }
    await refused([await share(p), await share(p)], 'COHORT_TOO_SMALL')
  })
  test('expired', async () => {
    await refused([await share({ kind: 'expiry', before: now() - 5 })], 'PREDICATE_EXPIRED')
  })
  test('function not on the list', async () => {
    await refused([await share({ kind: 'functions', ids: [support.randomWord()] })], 'FUNCTION_NOT_ALLOWED')
  })
  test('approval missing', async () => {
    await refused([await share({ kind: 'approval' })], 'APPROVAL_MISSING')
  })
  test('used up', async () => {
    const ref = await share({ kind: 'uses', max: 1 })
    const first = await requestOf([ref])
    await ledger.admit(requester, first.jobId, [ref])
    expect(await ledger.authorised(first.jobId, ref)).toBe(true)
    await refused([ref], 'PREDICATE_USED_UP')
    expect(await ledger.authorised(first.jobId, ref)).toBe(true)
  })
  test('one refused reference keeps the whole page from counting a use', async () => {
    const counted = await share({ kind: 'uses', max: 1 })
    const refusing = await share({ kind: 'approval' }, 1)
    await refused([refusing, counted], 'APPROVAL_MISSING')
    expect((await ledger.reference(counted))!.uses).toBe(0)
  })
  test('declined by the owner, for good', async () => {
    const ref = await share({ kind: 'anyone' })
    const { jobId } = await requestOf([ref])
    const approval = { jobId, ref, approved: true }
    const signature = await ledger.signApproval(owners[0]!, approval)
    await ledger.decline(owners[0]!, jobId, [ref])
    await expect(ledger.admit(requester, jobId, [ref])).rejects.toMatchObject({
      details: { error: 'OwnerDeclined' },
    })
    await expect(ledger.relayApprovals(stranger, jobId, [{ ...approval, signature }])).rejects.toMatchObject({
      details: { error: 'OwnerDeclined' },
    })
  })
  test('another account cannot admit for the requester', async () => {
    const ref = await share({ kind: 'keys', accounts: [requester.address] })
    const { jobId } = await requestOf([ref])
    await expect(ledger.admit(stranger, jobId, [ref])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  })
})

describe('an open job stops being authorised', () => {
  async function open(predicate: Predicate = { kind: 'anyone' }, rest: object = {}) {
    const ref = await share(predicate)
    const { jobId } = await requestOf([ref], rest)
    await ledger.admit(requester, jobId, [ref])
    expect(await ledger.authorised(jobId, ref)).toBe(true)
    return { ref, jobId }
  }

  test('when the owner revokes', async () => {
    const { ref, jobId } = await open()
    await ledger.revoke(owners[0]!, ref)
    expect(await ledger.authorised(jobId, ref)).toBe(false)
  })
  test('when the owner changes the predicate', async () => {
    const { ref, jobId } = await open()
    await ledger.changePredicates(
      owners[0]!,
      ref,
      await support.publish(ledger, owners[0]!, { kind: 'keys', accounts: [requester.address] }),
      ZERO_BYTES32,
    )
    expect(await ledger.authorised(jobId, ref)).toBe(false)
  })
  test('when the owner declines after all', async () => {
    const { ref, jobId } = await open()
    await ledger.decline(owners[0]!, jobId, [ref])
    expect(await ledger.authorised(jobId, ref)).toBe(false)
  })
  test('when the grant expires, by the clock of the asking holder even if no block comes', async () => {
    const before = now() + 1000
    const { ref, jobId } = await open({ kind: 'expiry', before })
    const later = await chain.client({}, { clock: clockAt(before) })
    expect(await later.authorised(jobId, ref)).toBe(false)
  })
  test('when its deadline passes; then anyone may end it', async () => {
    const deadline = now() + 1000
    const { ref, jobId } = await open({ kind: 'anyone' }, { deadline })
    const later = await chain.client({}, { clock: clockAt(deadline) })
    expect(await later.authorised(jobId, ref)).toBe(false)
    await expect(ledger.failJob(stranger, jobId, 'computation')).rejects.toMatchObject({
      details: { error: 'TooFewSignatures' },
    })
  })
  test('when committee nodes or the requester end it', async () => {
    const { ref, jobId } = await open()
    const signatures = await Promise.all(
      nodes.map(async (n) => ({
        nodeId: n.address,
        signature: await ledger.signFailure(n, jobId, 'committeeLost'),
      })),
    )
    await ledger.failJob(stranger, jobId, 'committeeLost', signatures)
    expect(await ledger.job(jobId)).toMatchObject({ state: 'failed', failReason: FAIL_REASONS.committeeLost })
    expect(await ledger.authorised(jobId, ref)).toBe(false)
    const other = await open()
    await expect(ledger.cancelJob(requester, other.jobId)).rejects.toMatchObject({
      details: { error: 'WrongState' },
    })
    await ledger.failJob(requester, other.jobId, 'requester')
    expect(await ledger.job(other.jobId)).toMatchObject({
      state: 'failed',
      failReason: FAIL_REASONS.requester,
    })
  })
})

describe('a request', () => {
  test('can be cancelled before it opens, by its requester', async () => {
    const ref = await share({ kind: 'anyone' })
    const { jobId } = await requestOf([ref])
    await expect(ledger.cancelJob(stranger, jobId)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await ledger.cancelJob(requester, jobId)
    await expect(ledger.admit(requester, jobId, [ref])).rejects.toMatchObject({
      details: { error: 'WrongState' },
    })
  })
  test.each([
    ['a deadline in the past', { deadline: now() - 10 }],
    ['a deadline too far away', { deadline: now() + 40 * 86400 }],
    ['a threshold of the committee size', { threshold: 3 }],
    ['a threshold of zero', { threshold: 0 }],
    ['a key that is no compressed point', { resultKey: new Uint8Array(33).fill(9) }],
  ])('with %s is refused', async (_, rest) => {
    const ref = await share({ kind: 'anyone' })
    await expect(requestOf([ref], rest)).rejects.toMatchObject({ details: { error: 'InvalidRequest' } })
  })
  test('over revoked, repeated or encrypted references is refused', async () => {
    const ref = await share({ kind: 'anyone' })
    await expect(requestOf([ref, ref])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await ledger.revoke(owners[0]!, ref)
    await expect(requestOf([ref])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const id = await support.publish(ledger, owners[0]!, { kind: 'anyone' })
    const input = support.referenceInput(identities[0]!, id, { kind: 'encrypted' })
    await ledger.createReference(owners[0]!, input)
    await expect(requestOf([ledger.referenceId(input.identity, input.xRef)])).rejects.toMatchObject({
      details: { error: 'NotShared' },
    })
  })
})

function clockAt(seconds: number) {
  return {
    now: () => seconds * 1000,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}
