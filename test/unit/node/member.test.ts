import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../core/base/clock.ts'
import { silentLog } from '../../../core/base/log.ts'
import { functionHash } from '../../../core/circuits/functions.ts'
import { rankNodes } from '../../../core/committee/draw.ts'
import type { Hex } from '../../../core/ledger/types.ts'
import { Member } from '../../../core/node/compute/member.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from '../../../core/node/compute/messages.ts'
import { type AttemptListener, PartyThread } from '../../../core/node/compute/party-thread.ts'
import { packSources } from '../../../core/node/compute/sources.ts'
import { Witness } from '../../../core/node/compute/witness.ts'
import type { NodeContext } from '../../../core/node/context.ts'
import type { IndexListener } from '../../../core/node/ledger-index.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { RequestHandler } from '../../../core/transport/types.ts'
import { testParameters } from '../bgv/parameters.ts'
import { nodeId } from '../preprocessing/committee.ts'

const word = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`
const jobId = word(1)
const parties = [0, 1, 2].map(nodeId)
const seed = new Uint8Array(32)
const sources = packSources([{ ref: word(2), helpers: [{ index: 1, node: nodeId(7) }] }])
/** Leads all attempts; the member under test is another. */
const [leader, self] = rankNodes(seed, parties) as [Hex, Hex]

let dataDir: string
let party: PartyThread

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'enigma-member-'))
})
afterEach(async () => {
  await party.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A member of an open job whose inputs never come. */
function member() {
  const handlers = new Map<string, RequestHandler>()
  const listeners: IndexListener[] = []
  const jobs = new Map([[jobId, { state: 'open', convicted: new Map() }]])
  const reference = { ref: word(2), kind: 'share', n: 1, t: 0, length: 1, commitmentsDigest: word(3) }
  const context = {
    ...{ clock: systemClock, log: silentLog, transport: new MemoryNetwork().join(self) },
    nodeKey: { address: self },
    events: { emit: () => undefined },
    options: { dataDir, bgv: testParameters(256) },
    ledger: {
      deployment: { chainId: 1, addresses: {} },
      job: async () => ({
        ...{ jobId, state: 'open', protocol: 'honest-majority', committeeSize: 3, threshold: 1 },
        functionId: functionHash('mean'),
      }),
      seed: async () => seed,
      jobInputs: async () => ({ refs: [word(2)], params: new Uint8Array() }),
      references: async () => [reference],
    },
    registry: { candidates: async () => parties.map((id) => ({ id })) },
    index: {
      jobs,
      onEvent: (listener: IndexListener) => listeners.push(listener),
      onBlock: () => undefined,
    },
    serve: (protocol: string, handler: RequestHandler) => handlers.set(protocol, handler),
  } as unknown as NodeContext
  party = new PartyThread(context)
  const made = new Member(context, party, new Witness(context))
  const ask = (protocol: string, message: Uint8Array) => handlers.get(protocol)!(leader, message)
  return {
    made,
    run: (attempt: number) => {
      const committee = [leader, ...parties.filter((id) => id !== leader)]
      return ask(PROTOCOLS.run, encodeMessage('plan', { jobId, attempt, committee, sources, excluded: [] }))
    },
    progress: async () =>
      decodeMessage('progress', await ask(PROTOCOLS.progress, encodeMessage('job', { jobId }))),
    abort: (attempt: number) => ask(PROTOCOLS.abort, encodeMessage('abort', { jobId, attempt })),
    end: () => {
      jobs.get(jobId)!.state = 'failed'
      for (const listener of listeners) listener({ name: 'JobFailed', jobId } as Parameters<IndexListener>[0])
    },
  }
}

describe('attempts at a job', () => {
  it('are remembered while it is open, and forgotten with it', async () => {
    const { made, run, abort, end } = member()
    for (const attempt of [1, 2]) {
      const running = run(attempt)
      await expect.poll(() => made.latest(jobId)?.attempt).toBe(attempt)
      await abort(attempt)
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
    }
    await expect(run(1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(made.latest(jobId)).toMatchObject({ attempt: 2, ended: true })
    end()
    expect(made.latest(jobId)).toBeUndefined()
  })

  it('that outlast it are forgotten when they end', async () => {
    const { made, run, abort, end } = member()
    const running = run(1)
    await expect.poll(() => made.latest(jobId)?.attempt).toBe(1)
    end()
    expect(made.latest(jobId)).toMatchObject({ ended: false })
    await abort(1)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(made.latest(jobId)).toBeUndefined()
  })

  it('that are given up while their plan is checked do not begin', async () => {
    const { made, run, abort } = member()
    const running = run(1)
    running.catch(() => undefined)
    await expect(run(1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await abort(1)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(made.latest(jobId)).toBeUndefined()
  })

  it('are told of before their members are chosen, so that nobody else leads one', async () => {
    const { made, progress, run, abort } = member()
    await expect(progress()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    made.leading.set(jobId, { state: 'committee', attempt: 1, committee: [], excluded: [] })
    expect(await progress()).toMatchObject({ state: 'committee', attempt: 1, committee: [] })
    const running = run(2)
    await expect.poll(async () => (await progress()).state).toBe('inputs')
    await abort(2)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('tell how far they are, of rounds while they compute only', async () => {
    const { progress, run, abort } = member()
    let listener: AttemptListener | undefined
    const open = party.open.bind(party)
    vi.spyOn(party, 'open').mockImplementation((order, given, signal) => {
      listener = given
      return open(order, given, signal)
    })
    const running = run(1)
    await expect.poll(() => listener).toBeDefined()
    expect(await progress()).toMatchObject({ state: 'inputs', progress: 0 })
    listener!.progress('preparing', 0.35, 1)
    expect(await progress()).toMatchObject({ state: 'preparing', progress: 0.35, done: 0, total: 0 })
    listener!.progress('computing', 0, 0)
    expect(await progress()).toMatchObject({ state: 'computing', progress: 0, done: 0, total: 0 })
    listener!.progress('computing', 9, 36)
    expect(await progress()).toMatchObject({ state: 'computing', progress: 0.25, done: 9, total: 36 })
    await abort(1)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
