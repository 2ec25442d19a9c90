import { libp2pSessions } from './sessions.ts'
import { spdzSuite } from './spdz-suite.ts'

spdzSuite('libp2p', libp2pSessions)
