import { bn254Scalar } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { joinCommittee } from '../../../core/shamir-mpc/party.ts'
import type { PartyOptions, ShamirParty } from '../../../core/shamir-mpc/types.ts'
import { shareVector } from '../../../core/sharing/shamir.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'

export const field = bn254Scalar
export const nodeId = (i: number): NodeId => `0x${(i + 1).toString(16).padStart(40, '0')}`

export interface TestCommittee {
  readonly network: MemoryNetwork
  readonly parties: ShamirParty[]
  readonly ids: readonly NodeId[]
  close(): Promise<void>
}

/** Sessions of n nodes on a memory network. */
export async function openSessions(
  n: number,
  id = 'job',
): Promise<{ network: MemoryNetwork; sessions: Session[] }> {
  const network = new MemoryNetwork()
  const ids = Array.from({ length: n }, (_, i) => nodeId(i))
  const nodes = ids.map((i) => network.join(i))
  const sessions = await Promise.all(
    nodes.map((node) =>
      node.openSession(
        id,
        ids.filter((i) => i !== node.self),
      ),
    ),
  )
  return { network, sessions }
}

export async function openCommittee(
  n: number,
  t: number,
  options: Partial<PartyOptions> = {},
  wrap: (session: Session, index: number) => Session = (s) => s,
): Promise<TestCommittee> {
  const { network, sessions } = await openSessions(n)
  const ids = sessions.map((s) => s.self)
  const parties = await Promise.all(
    sessions.map((session, index) =>
      joinCommittee({
        field,
        session: wrap(session, index),
        committee: { parties: ids, threshold: t },
        roundTimeoutMs: 5000,
        ...options,
      }),
    ),
  )
  return {
    network,
    parties,
    ids,
    close: async () => {
      await Promise.all(parties.map((p) => p.close()))
      await Promise.all([...network.nodes.values()].map((node) => node.stop()))
    },
  }
}

/** A trusted dealer, for tests only: shares[party][vector]. */
export function deal(vectors: readonly (readonly bigint[])[], n: number, t: number): FieldVector[][] {
  const byVector = vectors.map((v) => shareVector(field, field.fromBigints(v), { n, t }))
  return Array.from({ length: n }, (_, party) => byVector.map((shares) => shares[party]!))
}
