import { createConnection, type Socket } from 'node:net'
import type { ErrorObject } from '../../core/ipc/index.ts'
import {
  EnigmaError,
  hostFrame,
  type Input,
  type MethodName,
  type NodeEvent,
  type Output,
  parseOutput,
} from '../../core/ipc/index.ts'
import { MAX_ANSWER_BYTES } from './constants.ts'
import { encodeFrame, LineDecoder } from './framing.ts'
import { findSocketPath } from './socket-path.ts'

/** What a local client is asked to decide, as the host sent it. */
export interface Question {
  kind: string
  method: string
  facts: Record<string, string>
}

export interface ClientOptions {
  /** Asks this client's person. Without it every confirmation is declined. */
  confirm?(question: Question): Promise<boolean>
}

interface Pending {
  method: MethodName
  resolve(output: unknown): void
  reject(error: EnigmaError): void
}

/** A local client of the node that runs on a data directory. */
export class NodeClient {
  readonly #socket: Socket
  readonly #options: ClientOptions
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(event: NodeEvent) => void>()
  readonly #closeListeners = new Set<() => void>()
  #nextId = 1
  #gone = false

  private constructor(socket: Socket, options: ClientOptions) {
    this.#socket = socket
    this.#options = options
    const decoder = new LineDecoder(MAX_ANSWER_BYTES)
    socket.on('data', (chunk) => {
      for (const decoded of decoder.push(chunk)) {
        if ('value' in decoded) this.#receive(decoded.value)
        else socket.destroy()
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
  }

  /** Connects to the node on `dataDir`. Throws NOT_RUNNING when none answers. */
  static async connect(dataDir: string, options: ClientOptions = {}): Promise<NodeClient> {
    const socket = createConnection(findSocketPath(dataDir))
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', () =>
        reject(
          new EnigmaError('NOT_RUNNING', `no node runs on ${dataDir}`, {
            remedy: `Start one with: enigma start --headless --data ${JSON.stringify(dataDir)}`,
          }),
        ),
      )
    })
    return new NodeClient(socket, options)
  }

  /** Rejects with what the node answers, or HOST_GONE when the node ends before it answers. */
  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    if (this.#gone) return Promise.reject(gone())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve: resolve as (output: unknown) => void, reject })
      this.#socket.write(encodeFrame({ id, method, input }))
    })
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onClose(listener: () => void): void {
    if (this.#gone) listener()
    else this.#closeListeners.add(listener)
  }

  close(): void {
    this.#socket.destroy()
    this.#end()
  }

  #receive(value: unknown): void {
    const parsed = hostFrame.safeParse(value)
    if (!parsed.success) {
      this.#socket.destroy()
      return
    }
    const frame = parsed.data
    if ('event' in frame) for (const listener of this.#listeners) listener(frame.event)
    else if ('confirmation' in frame) void this.#ask(frame.confirmation, frame.ask)
    else this.#settle(frame)
  }

  #settle(frame: { id: number; output?: unknown } | { id: number; error: unknown }): void {
    const pending = this.#pending.get(frame.id)
    if (pending === undefined) return
    this.#pending.delete(frame.id)
    if ('error' in frame) {
      pending.reject(EnigmaError.fromObject(frame.error as ErrorObject))
      return
    }
    try {
      pending.resolve(parseOutput(pending.method, frame.output))
    } catch (error) {
      pending.reject(EnigmaError.from(error))
    }
  }

  async #ask(confirmation: number, question: Question): Promise<void> {
    const accept = await (this.#options.confirm?.(question) ?? Promise.resolve(false)).catch(() => false)
    if (!this.#gone) this.#socket.write(encodeFrame({ confirmation, accept }))
  }

  #end(): void {
    if (this.#gone) return
    this.#gone = true
    for (const { reject } of this.#pending.values()) reject(gone())
    this.#pending.clear()
    for (const listener of this.#closeListeners) listener()
  }
}

function gone(): EnigmaError {
  return new EnigmaError('HOST_GONE', 'the node ended before it answered', {
    remedy: 'Start the node again; work that it had begun goes on from where it was.',
  })
}
