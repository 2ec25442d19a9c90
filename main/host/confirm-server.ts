import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as z from 'zod'
import type { Log } from '../../core/base/log.ts'
import type { Confirmation } from '../../core/ipc/index.ts'
import { closeServer, listenOnLoopback, portOf } from './browser.ts'
import { ownOrigin, refuseActive, refuseRequest, securityHeaders } from './browser-policy.ts'
import { CONFIRM_CSP, CONFIRM_PAGE } from './confirm-page.ts'
import { type ConfirmText, confirmText, type Language } from './confirm-text.ts'
import { CONFIRMATION_MS } from './constants.ts'

/** Questions open at once; a page that asks for more is not asking for its person. */
const MAX_OPEN = 4

export interface ConfirmServerOptions {
  log: Log
  /** Shows the address to the owner, in the system browser or on standard output. */
  open(url: string): void
  expiresMs?: number
}

export interface ConfirmServer {
  readonly port: number
  confirm(confirmation: Confirmation, language: Language, signal: AbortSignal): Promise<boolean>
  close(): Promise<void>
}

interface Question {
  token: Buffer
  text: ConfirmText
  settle(accept: boolean): void
}

const questionBody = z.strictObject({ token: z.string().max(100) })
const decisionBody = z.strictObject({ token: z.string().max(100), accept: z.boolean() })

/**
 * Asks the owner about what the browser renderer caused, on an origin of its own (another loopback port) whose
 * addresses the renderer never sees: script in the renderer can raise a question but neither read nor answer it.
 */
export async function serveConfirmations(options: ConfirmServerOptions): Promise<ConfirmServer> {
  const questions = new Map<string, Question>()
  const headers = securityHeaders(CONFIRM_CSP)
  let port = 0
  let open = 0

  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, reason: string) => {
      options.log.warn('confirmation.refused', { reason })
      response
        .writeHead(status, { ...headers, 'Content-Type': 'text/plain', Connection: 'close' })
        .end('Refused\n')
    }
    const reason =
      request.method === 'POST' ? refuseActive(request, port, 'POST') : refuseRequest(request, port)
    if (reason !== undefined) return refuse(403, reason)
    const [, id = '', action] = /^\/c\/([\w-]{22})(\/question|\/decision)?$/.exec(request.url ?? '') ?? []
    if (request.method !== 'POST' && action === undefined && id !== '') {
      // The same page for every id: whether a question is open is for the holder of its token alone.
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' }).end(CONFIRM_PAGE)
      return
    }
    if (request.method !== 'POST' || action === undefined) return refuse(404, 'target')
    if (request.headers['content-type'] !== 'application/json') return refuse(415, 'type')
    const body = await readBody(request)
    const parsed = (action === '/decision' ? decisionBody : questionBody).safeParse(body)
    const question = questions.get(id)
    if (!parsed.success || question === undefined || !same(question.token, parsed.data.token))
      return refuse(403, 'token')
    const accept = (parsed.data as { accept?: boolean }).accept
    response.writeHead(200, { ...headers, 'Content-Type': 'application/json' })
    if (accept === undefined) response.end(JSON.stringify(question.text))
    else {
      question.settle(accept)
      response.end('{}')
    }
  }

  function ask(text: ConfirmText, signal: AbortSignal): Promise<boolean> {
    const id = randomBytes(16).toString('base64url')
    const token = randomBytes(32).toString('base64url')
    const decision = new Promise<boolean>((resolve) => {
      const settle = (accept: boolean) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', decline)
        questions.delete(id)
        resolve(accept)
      }
      const decline = () => settle(false)
      const timer = setTimeout(decline, options.expiresMs ?? CONFIRMATION_MS)
      signal.addEventListener('abort', decline, { once: true })
      questions.set(id, { token: digest(token), text, settle })
      if (signal.aborted) decline()
    })
    if (questions.has(id)) options.open(`${ownOrigin(port)}/c/${id}#${token}`)
    return decision
  }

  await listenOnLoopback(server)
  port = portOf(server)
  return {
    port,
    async confirm(confirmation, language, signal) {
      if (open >= MAX_OPEN || signal.aborted) return false
      open++
      try {
        return await ask(confirmText(confirmation, language), signal)
      } finally {
        open--
      }
    },
    async close() {
      for (const question of [...questions.values()]) question.settle(false)
      await closeServer(server)
    },
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function same(expected: Buffer, token: string): boolean {
  return timingSafeEqual(expected, digest(token))
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > 1024) return undefined
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
