import { bgvParameters } from '../../core/bgv/parameters.ts'
import type { Predicate } from '../../core/ipc/index.ts'
import type { NodeOptions } from '../../core/node/types.ts'
import { type Person, TestNetwork } from './network.ts'

/** Without security: full parameters take seconds a batch; the bench and the demo run with them. */
export const SMALL_BGV = bgvParameters({ n: 256, levels: 15, replyLevels: 6, batch: 12, insecure: true })

export interface SpdzNetwork {
  readonly network: TestNetwork
  readonly alice: Person
  readonly bob: Person
  readonly analyst: Person
  /** Allows all functions. */
  readonly rule: Predicate
}

/** `peers` serving nodes whose preprocessing takes milliseconds, and three people. */
export async function startSpdzNetwork(
  peers: number,
  options: Pick<NodeOptions, 'sameThread'> = {},
): Promise<SpdzNetwork> {
  const network = await TestNetwork.start(peers, { bgv: SMALL_BGV, ...options })
  const [alice, bob, analyst] = (await Promise.all(
    ['alice', 'bob', 'analyst'].map((name) => network.person(name)),
  )) as [Person, Person, Person]
  const { functions } = await analyst.call('compute.functions', {})
  return {
    ...{ network, alice, bob, analyst },
    rule: { kind: 'functions', functions: functions.map((f) => f.codeHash) },
  }
}
