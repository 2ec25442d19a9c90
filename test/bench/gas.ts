import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex, utf8 } from '../../core/base/bytes.ts'
import { hour, second } from '../../core/base/units.ts'
import { commitPoint, openingDigest } from '../../core/commitments/openings.ts'
import { payloadDigest, roundDigest, runId } from '../../core/commitments/rounds.ts'
import { ZERO_BYTES32 } from '../../core/ledger/constants.ts'
import { evidenceDigest } from '../../core/ledger/evidence.ts'
import type { WriteResult } from '../../core/ledger/ledger.ts'
import { localNodeKey, localSigner } from '../../core/ledger/signers.ts'
import type { Bytes32, SignedRound } from '../../core/ledger/types.ts'
import { encodeMessage } from '../../core/node/compute/messages.ts'
import { encodePredicate, predicateId } from '../../core/predicates/codec.ts'
import type { Predicate } from '../../core/predicates/types.ts'
import { LocalSigner } from '../../core/wallet/signer.ts'
import { jobRequest, referenceInput, startChain } from '../unit/ledger/support.ts'
import type { Measurement } from './crypto.ts'

export const README = fileURLToPath(new URL('../../core/ledger/README.md', import.meta.url))
const BEGIN = '<!-- gas: written by `node test/bench/gas.ts`, held true by test/solidity/gas.test.ts -->'
const END = '<!-- /gas -->'

/** Gas used by each kind of transaction, on a devnet of its own with fixed keys. */
export async function measureGas(): Promise<[string, number][]> {
  await using chain = await startChain({ unbondingSeconds: 0 })
  const ledger = await chain.client()
  const key = (n: number) => fromHex(n.toString(16).padStart(64, '1'))
  const word = (n: number): Bytes32 => toHex(new Uint8Array(32).fill(n))
  const [owner, other, requester] = [1, 2, 3].map((n) => localSigner(key(n))) as [never, never, never] as [
    ReturnType<typeof localSigner>,
    ReturnType<typeof localSigner>,
    ReturnType<typeof localSigner>,
  ]
  for (const signer of [owner, other, requester]) await ledger.faucet(signer.address)
  const rows: [string, number][] = []
  const row = async (name: string, result: WriteResult | WriteResult[], share = 1) => {
    let total = 0
    for (const { txHash } of [result].flat()) {
      if (txHash === null) throw new Error(`${name} sent no transaction`)
      const { gasUsed } = await chain.rpc<{ gasUsed: string }>('eth_getTransactionReceipt', [txHash])
      total += Number(gasUsed)
    }
    rows.push([name, Math.round(total / share)])
  }

  await row('L[k] ← 32 bytes', await ledger.set(owner, word(1), word32(1)))
  const alone = [{ account: owner.address, roles: 1n }]
  await row('pseudonym', await ledger.createIdentity(owner, alone, ZERO_BYTES32))
  await ledger.createIdentity(other, [{ account: other.address, roles: 1n }], ZERO_BYTES32)
  const members = [...alone, { account: other.address, roles: 2n }]
  const consent = await ledger.signIdentity(other, members, ZERO_BYTES32)
  await row(
    'shared identity of 2',
    await ledger.createIdentity(owner, members, ZERO_BYTES32, { [other.address]: consent }),
  )

  const conditions: Predicate[] = [
    { kind: 'keys', accounts: [requester.address] },
    { kind: 'expiry', before: 2 ** 40 },
    { kind: 'uses', max: 1000 },
    { kind: 'cohort', min: 1 },
    { kind: 'approval' },
  ]
  const open = encodePredicate({ kind: 'anyone' })
  const full = encodePredicate({ kind: 'and', of: conditions })
  await ledger.publishPredicate(owner, open)
  await row('predicate of 5 conditions', await ledger.publishPredicate(owner, full))
  const identity = ledger.identityAddress([owner.address])
  const guarded = referenceInput(identity, predicateId(full) as Bytes32, {
    xRef: word(9),
    commitmentsDigest: word(8),
  })
  await row('reference', await ledger.createReference(owner, guarded))
  const inputs = Array.from({ length: 200 }, (_, i) =>
    referenceInput(identity, predicateId(open) as Bytes32, { xRef: word(i), commitmentsDigest: word(7) }),
  ).filter((input) => input.xRef !== word(9))
  await row(
    'reference, one of 50 in a transaction',
    await ledger.createReferences(owner, inputs),
    inputs.length,
  )

  const nodes = [11, 12, 13].map((n) => localNodeKey(key(n)))
  const deposit = await ledger.minimumDeposit()
  const hint = '/ip4/127.0.0.1/tcp/40001'
  const registered = []
  for (const node of nodes)
    registered.push(await ledger.registerNode(owner, node, { hint, capacity: 1, deposit }))
  await row('node registration', registered[1]!)

  const ref = ledger.referenceId(identity, guarded.xRef)
  const options = { salt: word(5), resultKey: nodes[0]!.publicKey, params: utf8('{}') }
  const before = await gasOf(requester.address)
  const { jobId } = await ledger.requestJob(requester, jobRequest([ref], options))
  rows.push(['request over 1 reference', (await gasOf(requester.address)) - before])
  await row('approval, sent by the owner', await ledger.approve(owner, jobId, [ref]))
  await row('admission of 1 reference, 5 conditions', await ledger.admit(requester, jobId, [ref]))
  const result = { jobId, attempt: 1, resultDigest: word(3), transcriptDigest: word(4) }
  const signatures = await Promise.all(
    nodes
      .slice(0, 2)
      .map(async (n) => ({ nodeId: n.address, signature: await ledger.signResult(n, result) })),
  )
  await row('result with 2 signatures', await ledger.postResult(requester, result, signatures))

  const many = inputs.map((i) => ledger.referenceId(i.identity, i.xRef))
  const start = await gasOf(requester.address)
  const big = await ledger.requestJob(requester, jobRequest(many, { ...options, salt: word(6) }))
  rows.push([
    'request, per reference of 199',
    Math.round(((await gasOf(requester.address)) - start) / many.length),
  ])
  await row(
    'admission, per reference of 199',
    await ledger.admit(requester, big.jobId, big.refs),
    many.length,
  )
  const relayed = referenceInput(identity, predicateId(full) as Bytes32, {
    xRef: word(201),
    commitmentsDigest: word(8),
  })
  await ledger.createReference(owner, relayed)
  const relayedRef = ledger.referenceId(identity, relayed.xRef)
  const third = await ledger.requestJob(requester, jobRequest([relayedRef], { ...options, salt: word(7) }))
  const approval = { jobId: third.jobId, ref: relayedRef, approved: true }
  const signature = await ledger.signApproval(owner, approval)
  await row(
    'approval, relayed',
    await ledger.relayApprovals(other, third.jobId, [{ ...approval, signature }]),
  )
  await row('revocation', await ledger.revoke(owner, ref))

  const cheater = new LocalSigner(key(12))
  const nonce = word(31)
  const run = runId(fromHex(jobId), fromHex(nonce))
  const accusation = { jobId, nonce, party: nodes[1]!.address }
  const sign = (structHash: Uint8Array) =>
    toHex(cheater.signDigest(evidenceDigest(chain.devnet.deployment, structHash)))
  const claim = 2n ** 253n + 11n
  const opening = { round: 3, position: 5, ...commitPoint(claim, claim + 1n), value: claim, mask: claim }
  await row(
    'evidence: an opening that does not fit',
    await ledger.reportEvidence(requester, {
      ...accusation,
      kind: 'wrong-opening',
      opening,
      signature: sign(openingDigest(run, opening)),
    }),
  )
  const rounds = [33, 34].map((n) => {
    const payload = word32(n)
    return {
      previous: word(35),
      payload: toHex(payloadDigest(payload)),
      signature: sign(roundDigest(run, 3, fromHex(word(35)), payload)),
    }
  }) as [SignedRound, SignedRound]
  await row(
    'evidence: two payloads for one round',
    await ledger.reportEvidence(requester, { ...accusation, kind: 'equivocation', round: 3, signed: rounds }),
  )
  await row(
    'demand to a silent node',
    await ledger.demandAnswer(requester, { ...accusation, round: 3, last: rounds[0] }),
  )
  const statement = { round: 3, ...rounds[0] }
  const answer = encodeMessage('statements', { rounds: [statement] })
  await row('answer with one signed round', await ledger.answerDemand(owner, nodes[1]!, jobId, answer))
  const asNode = nodes[0]!.address
  await ledger.demandAnswer(owner, { ...accusation, round: 3, last: rounds[0], asNode })
  await chain.rpc('evm_increaseTime', [hour / second + 1])
  await chain.rpc('evm_mine')
  await row('report of silence', await ledger.reportSilence(requester, jobId, accusation.party))
  return rows

  /** Gas of everything an account has sent, from its receipts. */
  async function gasOf(account: string): Promise<number> {
    const head = Number(await chain.rpc<string>('eth_blockNumber'))
    let total = 0
    for (let n = 1; n <= head; n++) {
      const block = await chain.rpc<{ transactions: { hash: string; from: string }[] }>(
        'eth_getBlockByNumber',
        [`0x${n.toString(16)}`, true],
      )
      for (const tx of block.transactions.filter((t) => t.from === account)) {
        const receipt = await chain.rpc<{ gasUsed: string }>('eth_getTransactionReceipt', [tx.hash])
        total += Number(receipt.gasUsed)
      }
    }
    return total
  }
}

function word32(n: number): Uint8Array {
  return new Uint8Array(32).fill(n)
}

/** The figures of the table in core/ledger/README.md. */
export async function recordedGas(): Promise<Map<string, number>> {
  const text = await readFile(README, 'utf8')
  const table = text.slice(text.indexOf(BEGIN), text.indexOf(END))
  const rows = [...table.matchAll(/^\| (.+?) \| ([\d,]+) \|$/gm)]
  return new Map(rows.map(([, name, gas]) => [name!, Number(gas!.replaceAll(',', ''))]))
}

/** Posting 32 bytes (the digest of a run's commitments), settling a job's result, and the dearest evidence. */
export async function* gasBench(only?: string): AsyncGenerator<Measurement> {
  if (only !== undefined && !'gas.'.startsWith(only) && !only.startsWith('gas.')) return
  const rows = new Map(await measureGas())
  const figure = (name: string, row: string) => ({ name, value: rows.get(row)!, unit: 'gas' })
  yield figure('gas.post', 'L[k] ← 32 bytes')
  yield figure('gas.settle', 'result with 2 signatures')
  yield figure('gas.evidence', 'evidence: an opening that does not fit')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = await measureGas()
  const table = rows.map(([name, gas]) => `| ${name} | ${gas.toLocaleString('en-US')} |`)
  const text = await readFile(README, 'utf8')
  const between = [BEGIN, '| transaction | gas |', '| --- | ---: |', ...table, ''].join('\n')
  await writeFile(README, text.slice(0, text.indexOf(BEGIN)) + between + text.slice(text.indexOf(END)))
  process.stdout.write(`${table.join('\n')}\n`)
}
