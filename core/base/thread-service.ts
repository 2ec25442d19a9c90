import { parentPort } from 'node:worker_threads'
import { EnigmaError } from './errors.ts'
import type { Answer, Call } from './thread.ts'

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

/** Buffers that a result's byte arrays fill alone, two levels deep. */
function ownedBuffers(result: unknown, depth = 2): ArrayBuffer[] {
  if (result instanceof Uint8Array) {
    const { buffer, byteLength } = result
    return buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && byteLength > 0 ? [buffer] : []
  }
  if (depth === 0 || typeof result !== 'object' || result === null) return []
  return [...new Set(Object.values(result).flatMap((value) => ownedBuffers(value, depth - 1)))]
}
