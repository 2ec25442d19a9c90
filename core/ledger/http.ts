import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/**
 * Connections to one endpoint, and so questions under way: answers that come together are read in one turn of the event loop.
 */
const CONNECTIONS = 8
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Posts JSON to one address, over connections that are kept. With node:http and not with `fetch`, whose streams cost a node
 * that reads thousands of references more time than the references.
 */
export class HttpEndpoint {
  readonly #url: string
  #agent: HttpAgent | HttpsAgent | undefined
  readonly #underWay = new Set<ClientRequest>()
  #closed = false

  constructor(url: string) {
    this.#url = url
  }

  /** The answer, whatever its status: redirections are not followed. Rejects when there is none in time. */
  async post(body: string, timeoutMs: number): Promise<HttpAnswer> {
    try {
      return await this.#once(body, timeoutMs)
    } catch (error) {
      // A server may end a kept connection in the moment in which it is used again.
      if (!(error instanceof StaleConnection)) throw error
      return this.#once(body, timeoutMs)
    }
  }

  /** Ends what is under way; nothing is posted any more. */
  close(): void {
    this.#closed = true
    for (const request of this.#underWay) request.destroy(new Error('closed'))
    this.#agent?.destroy()
  }

  #once(body: string, timeoutMs: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error('closed')
      const url = new URL(this.#url)
      const secure = url.protocol === 'https:'
      const options = { keepAlive: true, maxSockets: CONNECTIONS }
      this.#agent ??= secure ? new HttpsAgent(options) : new HttpAgent(options)
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      })
      this.#underWay.add(request)
      const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
      let answered = false
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && !answered && error.code === 'ECONNRESET'
        reject(stale ? new StaleConnection() : error)
      })
      request.on('response', (response) => {
        answered = true
        readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject)
      })
      request.on('close', () => {
        clearTimeout(timer)
        this.#underWay.delete(request)
        if (!answered) reject(new Error('the connection was closed'))
      })
      request.end(body)
    })
  }
}

class StaleConnection extends Error {}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    parts.push(part)
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error('answer too large')
  }
  return Buffer.concat(parts).toString()
}
