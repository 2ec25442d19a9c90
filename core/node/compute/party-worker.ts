import { type MessagePort, workerData } from 'node:worker_threads'
import { Caller } from '../../base/thread.ts'
import { serve } from '../../base/thread-service.ts'
import { type PartyHost, type PartyOptions, PartyService } from './party-service.ts'

/** Calls of the node under way at once: some sessions, a signature, news of progress. */
const MAX_CALLS = 256

const { host, ...options } = workerData as PartyOptions & { host: MessagePort }
const node = new Caller<PartyHost>(host, { calls: MAX_CALLS, gives: ['openSession'] })
serve(new PartyService(node.service, options))
