import { parentPort, workerData } from 'node:worker_threads'
import { EnigmaError } from '../base/errors.ts'
import type { BgvOptions } from './parameters.ts'
import { BgvService } from './service.ts'
import type { Answer, Call } from './thread.ts'

// The other end of thread.ts.
const service = new BgvService(workerData as BgvOptions)
parentPort?.on('message', ({ id, method, args }: Call) => {
  let answer: Answer
  try {
    const result = (service[method] as (...operands: unknown[]) => unknown)(...args)
    answer = { id, result }
  } catch (error) {
    answer = { id, error: EnigmaError.from(error).toObject() }
  }
  parentPort?.postMessage(answer)
})
