import { createLog } from '../../../core/base/log.ts'
import type { CallContext } from '../../../core/ipc/index.ts'
import { EnigmaError, type MethodName, type NodeEvent, type NodeService } from '../../../core/ipc/index.ts'

export const HASH = `0x${'ab'.repeat(32)}` as const
export const ADDRESS = `0x${'cd'.repeat(20)}` as const

type Handler = (input: never, context: CallContext) => unknown

/** A NodeService that only records: what reached the node, and what it was told to answer. */
export class DoubleService implements NodeService {
  readonly calls: { method: MethodName; input: unknown; context: CallContext }[] = []
  readonly listeners = new Set<(event: NodeEvent) => void>()
  readonly handlers: Partial<Record<MethodName, Handler>> = {
    'settings.get': () => ({
      language: 'en',
      theme: 'light',
      autoLockMinutes: 5,
      role: 'person',
      storageQuotaBytes: 0,
      notifications: true,
    }),
    'vault.status': () => ({ state: 'locked' }),
    'vault.lock': () => ({}),
    'data.list': () => ({ records: [] }),
    'access.revoke': async (_input, context) => {
      const yes = await context.confirm({ kind: 'revoke', method: 'access.revoke', facts: { ref: HASH } })
      if (!yes) throw new EnigmaError('NOT_CONFIRMED', 'the owner did not confirm')
      return { jobId: 'job-1' }
    },
  }

  call: NodeService['call'] = async (method, input, context) => {
    this.calls.push({ method, input, context })
    const handler = this.handlers[method]
    if (handler === undefined) throw new EnigmaError('UNSUPPORTED', `${method} is not doubled`)
    return (await handler(input as never, context)) as never
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  emit(event: NodeEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** Calls that could have an effect. */
  get effects(): MethodName[] {
    return this.calls.map((c) => c.method).filter((m) => m !== 'settings.get')
  }
}

/** Collects log lines. */
export function testLog(): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = []
  return { log: createLog('debug', (line) => void lines.push(line)), lines }
}
