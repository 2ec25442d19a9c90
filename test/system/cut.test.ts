import { setTimeout as sleep } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Predicate } from '../../core/ipc/index.ts'
import type { Person, TestNetwork } from './network.ts'
import { startSpdzNetwork } from './spdz-network.ts'

const MEMBERS = 3
/** After the job was asked for; it takes about a second. */
const MOMENTS_MS = [150, 300, 450, 600, 750, 900]

/** The libp2p nodes of this process, in the order of their start: the members first. */
const nodes = vi.hoisted((): Libp2p[] => [])
vi.mock(import('../../core/transport/libp2p-node.ts'), async (original) => {
  const actual = await original()
  return {
    ...actual,
    createNode: async (...args: Parameters<typeof actual.createNode>) => {
      const node = await actual.createNode(...args)
      nodes.push(node)
      return node
    },
  }
})

let network: TestNetwork
let alice: Person
let bob: Person
let analyst: Person
let rule: Predicate

beforeAll(async () => {
  ;({ network, alice, bob, analyst, rule } = await startSpdzNetwork(MEMBERS))
}, 120_000)

afterAll(() => network?.stop(), 60_000)

/** Drops the connections between one pair of members, who may connect again. Returns how many there were. */
function cut(pair: number): number {
  const [a, b] = [nodes[pair % MEMBERS]!, nodes[(pair + 1) % MEMBERS]!]
  const connections = a.getConnections(b.peerId)
  for (const connection of connections) connection.abort(new Error('cut'))
  return connections.length
}

it.each(['honest-majority', 'spdz', 'spdz-audited'] as const)(
  'gives the right result when two members lose their connection in a job, whenever that is (%s)',
  async (protocol) => {
    const refs = await Promise.all([alice.share('5230.50', rule), bob.share('-4100', rule)])
    for (const [k, moment] of MOMENTS_MS.entries()) {
      const id = await analyst.request({ function: 'variance', refs, protocol, n: MEMBERS })
      await sleep(moment)
      expect(cut(k)).toBeGreaterThan(0)
      expect(await analyst.result(id)).toEqual(['43529115.125'])
      const { job } = await analyst.call('compute.get', { id })
      // Nobody has cheated.
      expect(job.excluded).toEqual([])
    }
  },
  // Each alone takes a few seconds; a session in which somebody waits for one that has gone would take minutes.
  110_000,
)
