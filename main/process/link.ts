import type { Log } from '../../core/base/log.ts'
import type { Confirmation, NodeService } from '../../core/ipc/index.ts'
import { jsonInTurns } from '../../core/ipc/turned.ts'
import { HostConnection } from '../host/connection.ts'
import { languageOf } from '../host/language.ts'
import type { FromNode, ToNode } from './messages.ts'

/** The part of Electron's MessagePortMain that a renderer's channel needs. */
export interface RendererPort {
  /** A frame as JSON: it can be written in turns. */
  postMessage(frame: string): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  start(): void
  close(): void
}

interface Client {
  connection: HostConnection
  close(): void
}

/**
 * The node's end of the channel to the process that supervises it. Renderers reach the node through it, and
 * what the owner must confirm goes back through it to the supervisor, which alone can ask.
 */
export class NodeLink {
  readonly #service: NodeService
  readonly #log: Log
  readonly #post: (message: FromNode) => void
  readonly #clients = new Map<number, Client>()
  readonly #asked = new Map<number, (accept: boolean) => void>()
  #nextConfirmation = 1

  constructor(service: NodeService, log: Log, post: (message: FromNode) => void) {
    this.#service = service
    this.#log = log
    this.#post = post
  }

  /** Takes a message of the supervisor; with `port`, the client's frames travel there. */
  receive(message: ToNode, port?: RendererPort): void {
    switch (message.type) {
      case 'open':
        this.#open(message.client, port)
        break
      case 'frame':
        void this.#clients.get(message.client)?.connection.receive(parse(message.text))
        break
      case 'close':
        this.#close(message.client)
        break
      case 'decision': {
        const settle = this.#asked.get(message.confirmation)
        this.#asked.delete(message.confirmation)
        settle?.(message.accept === true)
        break
      }
      case 'stop':
        break
    }
  }

  close(): void {
    for (const client of [...this.#clients.keys()]) this.#close(client)
  }

  #open(client: number, port: RendererPort | undefined): void {
    this.#close(client)
    const connection = new HostConnection({
      service: this.#service,
      log: this.#log,
      client: { principal: 'renderer', confirm: (ask, signal) => this.#confirm(ask, signal) },
      send: async (frame) => {
        let text = ''
        for await (const piece of jsonInTurns(frame)) text += piece
        if (port) port.postMessage(text)
        else this.#post({ type: 'frame', client, text })
      },
      drop: (reason) => {
        this.#close(client)
        if (!port) this.#post({ type: 'drop', client, reason })
      },
    })
    this.#clients.set(client, { connection, close: () => port?.close() })
    port?.on('message', (event) => void connection.receive(event.data))
    port?.on('close', () => this.#close(client))
    port?.start()
  }

  #close(id: number): void {
    const client = this.#clients.get(id)
    this.#clients.delete(id)
    client?.connection.close()
    client?.close()
  }

  async #confirm(ask: Confirmation, signal: AbortSignal): Promise<boolean> {
    const language = await languageOf(this.#service)
    if (signal.aborted) return false
    const confirmation = this.#nextConfirmation++
    return new Promise((resolve) => {
      const withdraw = () => {
        if (!this.#asked.delete(confirmation)) return
        this.#post({ type: 'withdraw', confirmation })
        resolve(false)
      }
      signal.addEventListener('abort', withdraw, { once: true })
      this.#asked.set(confirmation, (accept) => {
        signal.removeEventListener('abort', withdraw)
        resolve(accept)
      })
      this.#post({ type: 'confirm', confirmation, ask, language })
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
