import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../core/base/bytes.ts'
import { commitPoint, openingDigest } from '../../core/commitments/openings.ts'
import { payloadDigest, roundDigest, runId } from '../../core/commitments/rounds.ts'
import { BN254_ORDER } from '../../core/field/fields.ts'
import type { LedgerClient } from '../../core/ledger/client.ts'
import { ZERO_ADDRESS } from '../../core/ledger/constants.ts'
import { evidenceDigest } from '../../core/ledger/evidence.ts'
import { localNodeKey } from '../../core/ledger/signers.ts'
import type { Bytes32, Evidence, Hex, NodeKey, OpeningStatement, Signer } from '../../core/ledger/types.ts'
import { LocalSigner } from '../../core/wallet/signer.ts'
import * as support from '../unit/ledger/support.ts'

let chain: support.TestChain
let ledger: LedgerClient
let reporter: Signer
let requester: Signer
let nodes: { key: NodeKey; signer: LocalSigner }[]
let jobId: Bytes32
beforeAll(async () => {
  chain = await support.startChain({ unbondingSeconds: 0 })
  ledger = await chain.client({ pollMs: 10 })
  reporter = await support.fundedSigner(ledger)
  requester = await support.fundedSigner(ledger)
  nodes = [1, 2, 3].map((n) => {
    const secret = fromHex(n.toString(16).padStart(64, '7'), 32)
    return { key: localNodeKey(secret), signer: new LocalSigner(secret) }
  })
  const deposit = await ledger.minimumDeposit()
  for (const { key } of nodes) await ledger.registerNode(reporter, key, { hint: '', capacity: 1, deposit })
  const owner = await support.fundedSigner(ledger)
  const identity = await support.pseudonym(ledger, owner)
  const anyone = await support.publish(ledger, owner, { kind: 'anyone' })
  const input = support.referenceInput(identity, anyone)
  await ledger.createReference(owner, input)
  ;({ jobId } = await ledger.requestJob(
    requester,
    support.jobRequest([ledger.referenceId(identity, input.xRef)]),
  ))
})
afterAll(() => chain?.[Symbol.asyncDispose]())

const sign = (n: number, structHash: Uint8Array, deployment = chain.devnet.deployment): Hex =>
  toHex(nodes[n]!.signer.signDigest(evidenceDigest(deployment, structHash)))
const nonce = () => support.randomWord()

function opening(value: bigint, mask: bigint, rest: Partial<OpeningStatement> = {}): OpeningStatement {
  return { round: 4, position: 7, ...commitPoint(value, mask), value, mask, ...rest }
}
function accuse(
  n: number,
  statement: OpeningStatement,
  options: { nonce?: Bytes32; signature?: Hex; party?: Hex } = {},
): Evidence {
  const word = options.nonce ?? nonce()
  const run = runId(fromHex(jobId), fromHex(word))
  return {
    kind: 'wrong-opening',
    jobId,
    nonce: word,
    party: options.party ?? nodes[n]!.key.address,
    opening: statement,
    signature: options.signature ?? sign(n, openingDigest(run, statement)),
  }
}
function signedRound(n: number, word: Bytes32, round: number, previous: number, payload: string) {
  const before = new Uint8Array(32).fill(previous)
  const run = runId(fromHex(jobId), fromHex(word))
  return {
    previous: toHex(before),
    payload: toHex(payloadDigest(utf8(payload))),
    signature: sign(n, roundDigest(run, round, before, utf8(payload))),
  }
}
const refused = async (evidence: Evidence, error: string) =>
  expect(
    await ledger.reportEvidence(reporter, evidence).then(
      () => 'accepted',
      (e) => e.details?.error,
    ),
  ).toBe(error)

describe('a signed opening', () => {
  const wrong = () => opening(5n, 6n, { value: 8n })

  test('convicts when it does not fit its commitment, once', async () => {
    const evidence = accuse(0, wrong())
    const { txHash } = await ledger.reportEvidence(reporter, evidence)
    expect(await ledger.verdicts(jobId, nodes[0]!.key.address)).toEqual([
      { kind: 'wrong-opening', reporter: reporter.address, time: expect.any(Number) },
    ])
    const receipt = await chain.rpc<{ logs: unknown[] }>('eth_getTransactionReceipt', [txHash])
    expect(receipt.logs).toHaveLength(1)
    // Again, and in another run: the verdict stands already.
    expect((await ledger.reportEvidence(reporter, evidence)).txHash).toBeNull()
    expect((await ledger.reportEvidence(requester, accuse(0, wrong()))).txHash).toBeNull()
    expect(await ledger.verdicts(jobId, nodes[0]!.key.address)).toHaveLength(1)
  })

  test('that fits is never accepted', async () => {
    const element = fc.oneof(
      fc.constantFrom(0n, 1n, BN254_ORDER - 1n),
      fc.bigInt({ min: 0n, max: BN254_ORDER - 1n }),
    )
    await fc.assert(
      fc.asyncProperty(element, element, async (value, mask) => {
        fc.pre(value !== 0n || mask !== 0n)
        await refused(accuse(1, opening(value, mask)), 'NotEvidence')
      }),
      { numRuns: 12 },
    )
  })

  test('is bound to run, chain, contract and signer', async () => {
    const statement = wrong()
    const word = nonce()
    const run = runId(fromHex(jobId), fromHex(word))
    const digest = openingDigest(run, statement)
    const { deployment } = chain.devnet
    const elsewhere = { ...deployment, chainId: 1 }
    const other = {
      ...deployment,
      addresses: { ...deployment.addresses, evidence: deployment.addresses.jobs },
    }
    const altered = { ...statement, position: 8 }
    for (const signature of [
      sign(1, digest, elsewhere),
      sign(1, digest, other),
      sign(2, digest),
      sign(1, openingDigest(run, altered)),
      '0x' as Hex,
      `0x${'00'.repeat(65)}` as Hex,
    ])
      await refused(accuse(1, statement, { nonce: word, signature }), 'InvalidSignature')
    const good = sign(1, digest)
    await refused(accuse(1, statement, { signature: good }), 'InvalidSignature')
    await refused(
      accuse(1, statement, { nonce: word, signature: good, party: ZERO_ADDRESS }),
      'NotRegistered',
    )
    await refused(
      accuse(1, statement, { nonce: word, signature: good, party: support.newNodeKey().address }),
      'NotRegistered',
    )
    // The other root of the same signature (high s, other parity) is not a second signature.
    const [r, s, v] = [good.slice(2, 66), BigInt(`0x${good.slice(66, 130)}`), good.slice(130)]
    const high = (secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, '0')
    const malleable = `0x${r}${high}${v === '1b' ? '1c' : '1b'}` as Hex
    await refused(accuse(1, statement, { nonce: word, signature: malleable }), 'InvalidSignature')
    expect(await ledger.verdicts(jobId, nodes[1]!.key.address)).toEqual([])
  })

  test('with anything but canonical elements and a finite point of the curve proves nothing', async () => {
    const prime = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
    const { x, y } = commitPoint(5n, 6n)
    for (const point of [
      { x: 0n, y: 0n },
      { x: x + prime, y },
      { x, y: y + prime },
      { x, y: y + 1n },
      { x: prime, y: 0n },
    ])
      await refused(accuse(1, opening(5n, 7n, point)), 'InvalidPoint')
    await refused(accuse(1, opening(5n, 6n, { value: 5n + BN254_ORDER })), 'NotEvidence')
    await refused(accuse(1, opening(5n, 6n, { mask: 7n + BN254_ORDER })), 'NotEvidence')
  })
})

describe('signed rounds', () => {
  test('two payloads, or two histories, for one round convict', async () => {
    const party = nodes[1]!.key.address
    const word = nonce()
    const signed = [signedRound(1, word, 3, 1, 'a'), signedRound(1, word, 3, 1, 'b')] as const
    const evidence: Evidence = { kind: 'equivocation', jobId, nonce: word, party, round: 3, signed }
    await ledger.reportEvidence(reporter, evidence)
    expect((await ledger.verdicts(jobId, party)).map((v) => v.kind)).toEqual(['equivocation'])
    // Another kind is a verdict of its own.
    await ledger.reportEvidence(reporter, accuse(1, opening(5n, 6n, { mask: 9n })))
    expect((await ledger.verdicts(jobId, party)).map((v) => v.kind)).toEqual([
      'equivocation',
      'wrong-opening',
    ])
  })

  test('an honest run is no equivocation', async () => {
    const party = nodes[2]!.key.address
    const word = nonce()
    const a = signedRound(2, word, 3, 1, 'a')
    const report = (round: number, x: typeof a, y: typeof a, nonceOf = word): Evidence => ({
      ...{ kind: 'equivocation', jobId, nonce: nonceOf, party, round },
      signed: [x, y],
    })
    await refused(report(3, a, a), 'NotEvidence')
    await refused(report(3, a, signedRound(2, word, 4, 2, 'b')), 'InvalidSignature')
    await refused(report(3, a, signedRound(2, nonce(), 3, 1, 'b')), 'InvalidSignature')
    await refused(report(3, a, signedRound(0, word, 3, 1, 'b')), 'InvalidSignature')
    await refused(report(3, a, { ...a, payload: support.randomWord() }), 'InvalidSignature')
    expect(await ledger.verdicts(jobId, party)).toEqual([])
  })
})

describe('silence', () => {
  test('convicts only after a demand and its deadline', async () => {
    const party = nodes[2]!.key.address
    const word = nonce()
    const last = signedRound(2, word, 0, 1, 'a')
    const demand = { jobId, nonce: word, party, round: 0, last }
    const code = (p: Promise<unknown>) =>
      p.then(
        () => 'accepted',
        (e) => e.details?.error ?? e.code,
      )
    const stranger = await support.fundedSigner(ledger)
    expect(await code(ledger.demandAnswer(stranger, demand))).toBe('NotAuthorised')
    expect(await code(ledger.demandAnswer(stranger, { ...demand, asNode: nodes[0]!.key.address }))).toBe(
      'NotAuthorised',
    )
    expect(
      await code(ledger.demandAnswer(requester, { ...demand, last: signedRound(1, word, 0, 1, 'a') })),
    ).toBe('InvalidSignature')
    expect(await code(ledger.reportSilence(reporter, jobId, party))).toBe('NoDemand')
    await ledger.demandAnswer(requester, demand)
    expect(await code(ledger.reportSilence(reporter, jobId, party))).toBe('DeadlineNotReached')
    expect(await code(ledger.demandAnswer(reporter, { ...demand, asNode: nodes[0]!.key.address }))).toBe(
      'DemandOpen',
    )
    // An answer in time, by anybody with the node's signature, ends it.
    expect(await code(ledger.answerDemand(reporter, nodes[1]!.key, jobId, utf8('x')))).toBe('NOT_FOUND')
    await ledger.answerDemand(reporter, nodes[2]!.key, jobId, utf8('I was away'))
    await chain.rpc('evm_increaseTime', [3601])
    await chain.rpc('evm_mine')
    expect(await code(ledger.reportSilence(reporter, jobId, party))).toBe('NoDemand')
    // The requester has asked once; a serving node's account may as well.
    expect((await ledger.demandAnswer(requester, demand)).txHash).toBeNull()
    await ledger.demandAnswer(reporter, { ...demand, asNode: nodes[0]!.key.address })
    await chain.rpc('evm_increaseTime', [3601])
    await chain.rpc('evm_mine')
    expect(await code(ledger.answerDemand(reporter, nodes[2]!.key, jobId, utf8('late')))).toBe(
      'DeadlinePassed',
    )
    await ledger.reportSilence(requester, jobId, party)
    expect((await ledger.verdicts(jobId, party)).map((v) => v.kind)).toEqual(['silence'])
  })
})
