/** Gas of the ledger's transactions on a fresh development chain: `node test/bench/ledger-gas.ts`. */
import { ZERO_BYTES32 } from '../../core/ledger/constants.ts'
import type { Bytes32, WriteResult } from '../../core/ledger/types.ts'
import * as support from '../unit/ledger/support.ts'

await using chain = await support.startChain()
const ledger = await chain.client()

async function gasOf(txHash: string | null): Promise<number> {
  return Number((await chain.rpc<{ gasUsed: string }>('eth_getTransactionReceipt', [txHash])).gasUsed)
}

async function show(what: string, written: Promise<WriteResult>): Promise<void> {
  console.log(`${String(await gasOf((await written).txHash)).padStart(9)}  ${what}`)
}

/** The gas of every transaction that a call sent, which may be several. */
async function showAll(what: string, call: () => Promise<unknown>): Promise<void> {
  const number = async () => Number(await chain.rpc<string>('eth_blockNumber'))
  const before = await number()
  await call()
  let gas = 0
  for (let i = before + 1; i <= (await number()); i++) {
    const block = await chain.rpc<{ transactions: string[] }>('eth_getBlockByNumber', [toHexNumber(i), false])
    for (const hash of block.transactions) gas += await gasOf(hash)
  }
  console.log(`${String(gas).padStart(9)}  ${what}`)
}

const toHexNumber = (n: number) => `0x${n.toString(16)}`

const owner = await support.fundedSigner(ledger)
const requester = await support.fundedSigner(ledger)
const node = support.newNodeKey()
const nodes = [node, support.newNodeKey()]
const deposit = await ledger.minimumDeposit()
await show(
  'register a node',
  ledger.registerNode(owner, node, { hint: '/ip4/127.0.0.1/tcp/4001', capacity: 1, deposit }),
)
await ledger.registerNode(owner, nodes[1]!, { hint: '', capacity: 1, deposit })
await show(
  'create a pseudonym',
  ledger.createIdentity(owner, [{ account: owner.address, roles: 1n }], ZERO_BYTES32),
)
const identity = ledger.identityAddress([owner.address])
await showAll('publish a rule of function, cohort, approval', () =>
  support.publish(ledger, owner, {
    kind: 'and',
    of: [{ kind: 'functions', ids: [support.FUNCTION] }, { kind: 'cohort', min: 1 }, { kind: 'approval' }],
  }),
)
const rule = await support.publish(ledger, owner, {
  kind: 'and',
  of: [
    { kind: 'functions', ids: [support.FUNCTION] },
    { kind: 'cohort', min: 1 },
    { kind: 'uses', max: 100 },
  ],
})
await show('create a reference', ledger.createReference(owner, support.referenceInput(identity, rule)))
const inputs = Array.from({ length: 200 }, () => support.referenceInput(identity, rule))
await showAll('create 200 references', async () => {
  for (let i = 0; i < inputs.length; i += 50) await ledger.createReferences(owner, inputs.slice(i, i + 50))
})
const refs = inputs.map((r) => ledger.referenceId(r.identity, r.xRef))

for (const count of [1, 200]) {
  const chosen = refs.slice(0, count)
  let jobId: Bytes32 = ZERO_BYTES32
  let ordered: Bytes32[] = []
  await showAll(`request a job over ${count}`, async () => {
    const made = await ledger.requestJob(requester, support.jobRequest(chosen))
    jobId = made.jobId
    ordered = made.refs
  })
  await showAll(`approve ${count}`, () => ledger.approve(owner, jobId, ordered))
  await showAll(`admit ${count}`, () => ledger.admit(requester, jobId, ordered))
  const result = {
    jobId,
    attempt: 1,
    resultDigest: support.randomWord(),
    transcriptDigest: support.randomWord(),
  }
  const signatures = await Promise.all(
    nodes.map(async (n) => ({ nodeId: n.address, signature: await ledger.signResult(n, result) })),
  )
  await showAll('post a result with two signatures', () => ledger.postResult(requester, result, signatures))
}
await show('revoke a reference', ledger.revoke(owner, refs[0]!))
await show(
  'set a value of 32 bytes in L',
  ledger.set(owner, support.randomWord(), new Uint8Array(32).fill(1)),
)
