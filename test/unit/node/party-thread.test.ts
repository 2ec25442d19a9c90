import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../core/base/log.ts'
import { functionHash } from '../../../core/circuits/functions.ts'
import type { AttemptOrder } from '../../../core/node/compute/party-service.ts'
import { PartyThread } from '../../../core/node/compute/party-thread.ts'
import { packReferences } from '../../../core/node/compute/references.ts'
import { packSources } from '../../../core/node/compute/sources.ts'
import type { NodeContext } from '../../../core/node/context.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import { testParameters } from '../bgv/parameters.ts'
import { nodeId } from '../preprocessing/committee.ts'

const parties = [nodeId(0), nodeId(1)]
const ref = `0x${'22'.repeat(32)}` as const
const listener = { began: () => undefined, round: () => undefined, progress: () => undefined }
const code = (expected: string) => ({ code: expected })

/** An attempt whose inputs never come. */
const order = async (id: string): Promise<AttemptOrder> => ({
  id,
  plan: {
    jobId: ref,
    attempt: 1,
    committee: parties,
    sources: packSources([{ ref, helpers: [{ index: 1, node: parties[1]! }] }]),
  },
  facts: {
    job: { protocol: 'spdz', threshold: 1, functionId: functionHash('mean') },
    params: new Uint8Array(),
    references: await packReferences([{ ref, n: 3, t: 0, length: 1, commitmentsDigest: ref }]),
  } as unknown as AttemptOrder['facts'],
})

describe.each([
  ['a thread of its own', false],
  ['the thread of the node', true],
])('computations in %s', (_, sameThread) => {
  let dataDir: string
  let party: PartyThread

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'enigma-party-'))
    party = new PartyThread({
      log: silentLog,
      nodeKey: { address: parties[0] },
      options: { dataDir, bgv: testParameters(256), sameThread },
      ledger: { deployment: { chainId: 1, addresses: {} } },
      transport: new MemoryNetwork().join(parties[0]!),
    } as unknown as NodeContext)
  })
  afterEach(async () => {
    await party.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('begin with the first that needs it', async () => {
    expect(await party.shortCommittees()).toEqual([])
    expect(await party.commitAhead(() => true)).toBe(false)
    expect((await party.material()).stock.triple).toBe(0)
    expect(party.working()).toBe(false)
  })

  it('end where they are cancelled', async () => {
    const abort = new AbortController()
    await party.open(await order('one'), listener, abort.signal)
    const waiting = party.service.complete('one')
    abort.abort()
    await expect(waiting).rejects.toMatchObject(code('CANCELLED'))
    await party.close('one')
    await expect(party.service.complete('one')).rejects.toMatchObject(code('NOT_RUNNING'))
  })

  it('take what comes while an attempt is being opened, and its end', async () => {
    const abort = new AbortController()
    const opened = party.open(await order('one'), listener, abort.signal)
    const waiting = party.service.complete('one')
    abort.abort()
    await opened
    await expect(waiting).rejects.toMatchObject(code('CANCELLED'))
    const again = party.open(await order('two'), listener, new AbortController().signal)
    await party.close('two')
    await again
    await expect(party.service.complete('two')).rejects.toMatchObject(code('NOT_RUNNING'))
  })

  it('refuse what is no piece, and pieces of attempts that are over', async () => {
    await expect(party.receive(Uint8Array.of(1, 2, 3))).rejects.toMatchObject(code('RECORD_INVALID'))
    await expect(party.service.add('none', parties[1]!, 5)).rejects.toMatchObject(code('NOT_FOUND'))
  })

  it('end with the node, whatever waits', async () => {
    await party.open(await order('one'), listener, new AbortController().signal)
    const waiting = party.service.complete('one')
    waiting.catch(() => undefined)
    await party.stop()
    await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/CANCELLED|NOT_RUNNING/) })
  })
})
