import { randomBytes } from '../../core/base/random.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import type { Session } from '../../core/transport/types.ts'

/** Sessions of n nodes over real channels on loopback. */
export async function libp2pSessions(n: number): Promise<{
  sessions: Session[]
  kill(index: number): Promise<void>
  stop(): Promise<void>
}> {
  const modules = { isAdmitted: async () => true }
  const nodes = await Promise.all(
    Array.from({ length: n }, () => Libp2pTransport.create({ privateKey: randomBytes(32) }, modules)),
  )
  for (const a of nodes) for (const b of nodes) if (a !== b) a.addPeer(b.addresses, { node: b.self })
  const sessions = await Promise.all(
    nodes.map((node) =>
      node.openSession(
        'job',
        nodes.flatMap((o) => (o === node ? [] : [o.self])),
      ),
    ),
  )
  return {
    sessions,
    kill: (index) => nodes[index]!.stop(),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}
