import { mpcSuite } from './mpc-suite.ts'
import { libp2pSessions } from './sessions.ts'

mpcSuite('libp2p', libp2pSessions)
