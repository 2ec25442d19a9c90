import { type MessagePort, parentPort } from 'node:worker_threads'
import { EnigmaError } from './errors.ts'
import { type Answer, type Call, owned } from './thread.ts'

/** The other end of a `Caller`: answers its calls with the methods of `service`; by default those of this worker's thread. */
export function serve(service: object, port: MessagePort = parentPort as MessagePort): void {
  const methods = service as Record<string, (...args: readonly unknown[]) => unknown>
  const answer = async ({ id, method, args }: Call): Promise<void> => {
    let answered: Answer
    let given: ReturnType<typeof owned> = []
    try {
      const result = await methods[method]!(...args)
      given = owned(result)
      answered = { id, result }
    } catch (error) {
      answered = { id, error: EnigmaError.from(error).toObject() }
    }
    port.postMessage(answered, given)
  }
  port.on('message', (call: Call) => void answer(call))
}
