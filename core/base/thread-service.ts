import { parentPort } from 'node:worker_threads'
import { EnigmaError } from './errors.ts'
import { type Answer, type Call, ownedBuffers } from './thread.ts'

/** The other end of a `ServiceThread`: answers the calls of this worker with the methods of `service`. */
export function serve(service: object): void {
  const methods = service as Record<string, (...args: readonly unknown[]) => unknown>
  const answer = async ({ id, method, args }: Call): Promise<void> => {
    let answered: Answer
    let owned: ArrayBuffer[] = []
    try {
      const result = await methods[method]!(...args)
      owned = ownedBuffers(result)
      answered = { id, result }
    } catch (error) {
      answered = { id, error: EnigmaError.from(error).toObject() }
    }
    parentPort?.postMessage(answered, owned)
  }
  parentPort?.on('message', (call: Call) => void answer(call))
}
