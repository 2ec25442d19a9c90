import { openSessions } from '../unit/shamir-mpc/committee.ts'
import { spdzSuite } from './spdz-suite.ts'

spdzSuite('memory', async (n) => {
  const { network, sessions } = await openSessions(n)
  return {
    sessions,
    kill: async (index) => network.kill(sessions[index]!.self),
    stop: async () => {
      await Promise.all([...network.nodes.values()].map((node) => node.stop()))
    },
  }
})
