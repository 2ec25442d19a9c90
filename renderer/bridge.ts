import * as z from 'zod'
import {
  type ClientFrame,
  EnigmaError,
  type HostFrame,
  hostFrame,
  type Input,
  type MethodName,
  type NodeEvent,
  type Output,
  parseOutput,
} from '../core/ipc/index.ts'

// The content security policy forbids eval, which zod would otherwise try for its compiled parsers.
z.config({ jitless: true })

/**
 * What the sandboxed preload exposes as `window.enigma`. A MessagePort cannot cross the context bridge, so
 * `connect()` asks the main process for a channel and the preload hands it over with
 * `window.postMessage({ enigma: 'port' }, location.origin, [port])`. It does so again, unasked, whenever the
 * node process was restarted. The port carries ClientFrame objects (structured clone) and, the other way,
 * HostFrame as JSON.
 */
export interface EnigmaPreload {
  readonly version: string
  connect(): void
}

declare global {
  interface Window {
    readonly enigma?: EnigmaPreload
  }
}

/**
 * `connecting`: the first attempt; `ready`; `offline`: lost, trying again; `refused`: the host knows neither
 * the token nor the session, only opening the app again helps.
 */
export type BridgeState = 'connecting' | 'ready' | 'offline' | 'refused'

export interface Bridge {
  readonly state: BridgeState
  /** Rejects with EnigmaError: the host's own, HOST_GONE when the channel is lost, RESPONSE_INVALID. */
  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>>
  subscribe(listener: (event: NodeEvent) => void): () => void
  onState(listener: (state: BridgeState) => void): () => void
  /** Tries to connect now instead of at the end of the back-off. */
  retry(): void
}

interface Handlers {
  ready(send: (frame: ClientFrame) => void): void
  frame(raw: unknown): void
  closed(refused: boolean): void
}

/** One way to reach a host. `open` starts one attempt; the returned function abandons it. */
export interface Transport {
  open(handlers: Handlers): () => void
}

/** How long a channel may take to open. Calls themselves have no limit: some are computations. */
const CONNECT_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 8_000
/** The host closes the socket with this code when it accepts neither token nor session. */
export const CLOSE_REFUSED = 4401
const SESSION_KEY = 'enigma.session'

interface Pending {
  frame: ClientFrame
  method: MethodName
  sent: boolean
  resolve(output: unknown): void
  reject(error: EnigmaError): void
}

function hostGone(sent: boolean): EnigmaError {
  return new EnigmaError(
    'HOST_GONE',
    sent ? 'the connection to the node was lost before it answered' : 'the node cannot be reached',
    { details: { sent } },
  )
}

/** Joins calls, answers, events and reconnection over a transport. */
export function createBridge(transport: Transport): Bridge {
  let state: BridgeState = 'connecting'
  let send: ((frame: ClientFrame) => void) | undefined
  let abandon: (() => void) | undefined
  let attempt = 0
  let generation = 0
  let nextId = 1
  let timer: ReturnType<typeof setTimeout> | undefined
  const pending = new Map<number, Pending>()
  const listeners = new Set<(event: NodeEvent) => void>()
  const stateListeners = new Set<(state: BridgeState) => void>()

  function setState(next: BridgeState): void {
    if (next === state) return
    state = next
    for (const listener of stateListeners) listener(next)
  }

  function rejectAll(which: (p: Pending) => boolean): void {
    for (const [id, p] of pending) {
      if (!which(p)) continue
      pending.delete(id)
      p.reject(hostGone(p.sent))
    }
  }

  function lost(refused: boolean): void {
    clearTimeout(timer)
    generation += 1
    abandon?.()
    abandon = undefined
    send = undefined
    // What was sent may or may not have happened; what was not waits for one attempt only.
    rejectAll((p) => p.sent || refused || attempt > 0)
    setState(refused ? 'refused' : 'offline')
    if (refused) return
    const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.75 + Math.random() / 2)
    attempt += 1
    timer = setTimeout(open, delayMs)
  }

  function receive(raw: unknown): void {
    const parsed = hostFrame.safeParse(raw)
    if (!parsed.success) return
    const frame: HostFrame = parsed.data
    if ('event' in frame) {
      for (const listener of listeners) listener(frame.event)
      return
    }
    // Confirmations are answered on the host's side; a host has no reason to send one here.
    if (!('id' in frame)) return
    const call = pending.get(frame.id)
    if (call === undefined) return
    pending.delete(frame.id)
    if ('error' in frame) call.reject(EnigmaError.fromObject(frame.error))
    else {
      try {
        call.resolve(parseOutput(call.method, frame.output))
      } catch (error) {
        call.reject(EnigmaError.from(error))
      }
    }
  }

  function open(): void {
    clearTimeout(timer)
    generation += 1
    const mine = generation
    const current = () => mine === generation
    timer = setTimeout(() => current() && lost(false), CONNECT_TIMEOUT_MS)
    abandon = transport.open({
      ready: (sender) => {
        if (!current()) return
        clearTimeout(timer)
        attempt = 0
        send = sender
        for (const p of pending.values()) {
          if (p.sent) continue
          p.sent = true
          sender(p.frame)
        }
        setState('ready')
      },
      frame: (raw) => current() && receive(raw),
      closed: (refused) => current() && lost(refused),
    })
  }

  open()
  return {
    get state() {
      return state
    },
    call: <M extends MethodName>(method: M, input: Input<M>) =>
      new Promise<Output<M>>((resolve, reject) => {
        if (state === 'refused' || (state === 'offline' && attempt > 1)) return reject(hostGone(false))
        const id = nextId
        nextId += 1
        const frame: ClientFrame = { id, method, input }
        const call: Pending = {
          frame,
          method,
          sent: send !== undefined,
          resolve: (output) => resolve(output as Output<M>),
          reject,
        }
        pending.set(id, call)
        try {
          send?.(frame)
        } catch (error) {
          pending.delete(id)
          reject(EnigmaError.from(error, 'HOST_GONE'))
        }
      }),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onState: (listener) => {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    retry: () => {
      if (state === 'ready') return
      attempt = 0
      abandon?.()
      setState('connecting')
      open()
    },
  }
}

/** Electron: frames travel over the MessagePort that the preload hands over. */
export function portTransport(preload: EnigmaPreload, target: Window = window): Transport {
  return {
    open(handlers) {
      let port: MessagePort | undefined
      const adopt = (message: MessageEvent): void => {
        const data = message.data as { enigma?: unknown } | null
        const next = message.ports[0]
        if (message.source !== target || data?.enigma !== 'port' || next === undefined) return
        // A second port means that the node was restarted: what the first still owed will not come.
        if (port !== undefined) {
          handlers.closed(false)
          return
        }
        port = next
        port.onmessage = (event) => handlers.frame(JSON.parse(String(event.data)))
        port.addEventListener('close', () => handlers.closed(false))
        port.start()
        handlers.ready((frame) => next.postMessage(frame))
      }
      target.addEventListener('message', adopt)
      preload.connect()
      return () => {
        target.removeEventListener('message', adopt)
        port?.close()
      }
    },
  }
}

/** Takes the one-time token out of the address, so that it reaches neither history nor a bookmark. */
function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return undefined
  history.replaceState(null, '', location.pathname + location.search)
  return token
}

/**
 * Browser: JSON frames over a WebSocket to the host that served the page. The first message is
 * `{"token": …}` (from the URL fragment, once) or `{"session": …}`; the host answers `{"session": …}`, or
 * closes with 4401. The session key lives in sessionStorage: this tab only, gone when it is closed.
 */
export function socketTransport(
  url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
): Transport {
  let token = takeToken()
  return {
    open(handlers) {
      const session = sessionStorage.getItem(SESSION_KEY)
      const credential = token !== undefined ? { token } : session !== null ? { session } : undefined
      if (credential === undefined) {
        queueMicrotask(() => handlers.closed(true))
        return () => undefined
      }
      const socket = new WebSocket(url, 'enigma')
      let greeted = false
      socket.onopen = () => socket.send(JSON.stringify(credential))
      socket.onmessage = (event) => {
        let message: unknown
        try {
          message = JSON.parse(String(event.data))
        } catch {
          return socket.close()
        }
        if (greeted) return handlers.frame(message)
        const key = (message as { session?: unknown } | null)?.session
        if (typeof key !== 'string') return socket.close()
        greeted = true
        token = undefined
        sessionStorage.setItem(SESSION_KEY, key)
        handlers.ready((frame) => socket.send(JSON.stringify(frame)))
      }
      socket.onclose = (event) => {
        if (event.code === CLOSE_REFUSED) {
          // A stale token must not hide a session that is still good.
          const another = token !== undefined && session !== null
          token = undefined
          if (!another) sessionStorage.removeItem(SESSION_KEY)
          return handlers.closed(!another)
        }
        handlers.closed(false)
      }
      return () => {
        socket.onopen = socket.onmessage = socket.onclose = null
        socket.close()
      }
    },
  }
}

/** The bridge of this window. Call once, before the router reads the address. */
export function openBridge(): Bridge {
  return createBridge(window.enigma !== undefined ? portTransport(window.enigma) : socketTransport())
}
