import { randomBytes } from '../../core/base/random.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import { mpcSuite } from './mpc-suite.ts'

mpcSuite('libp2p', async (n) => {
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
})
