import type { IncomingHttpHeaders } from 'node:http'

/** What renderer/README.md asks for, and nothing more. */
export const RENDERER_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Sent with every answer of a loopback server. */
export function securityHeaders(csp: string): Record<string, string> {
  return {
    'Content-Security-Policy': csp,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=()',
    'Cache-Control': 'no-store',
  }
}

/** The parts of a request that say who sent it. */
export interface Sender {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** As they came, name and value in turn: shows a header that was sent twice. */
  readonly rawHeaders: readonly string[]
}

/**
 * Why a plain request is refused, or undefined. Only this exact authority is answered, whatever name led here
 * (DNS rebinding), and only pages of this origin or the person's own address bar may ask.
 */
export function refuseRequest(sender: Sender, port: number, methods = ['GET', 'HEAD']): string | undefined {
  if (!methods.includes(sender.method ?? '')) return 'method'
  const reason = refuseAuthority(sender, port)
  if (reason !== undefined) return reason
  const { origin } = sender.headers
  if (origin !== undefined && origin !== ownOrigin(port)) return 'origin'
  const site = sender.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'site'
  return undefined
}

/** Why a request that has an effect (a WebSocket upgrade, a decision) is refused: it must name its origin. */
export function refuseActive(sender: Sender, port: number, method: 'GET' | 'POST'): string | undefined {
  const reason = refuseRequest(sender, port, [method])
  if (reason !== undefined) return reason
  if (sender.headers.origin !== ownOrigin(port)) return 'origin'
  const site = sender.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return 'site'
  return undefined
}

export function ownOrigin(port: number): string {
  return `http://127.0.0.1:${port}`
}

function refuseAuthority(sender: Sender, port: number): string | undefined {
  if (count(sender, 'host') !== 1 || sender.headers.host !== `127.0.0.1:${port}`) return 'host'
  if (count(sender, 'origin') > 1) return 'origin'
  if (!sender.url?.startsWith('/') || sender.url.startsWith('//')) return 'target'
  return undefined
}

function count(sender: Sender, name: string): number {
  let found = 0
  for (let i = 0; i < sender.rawHeaders.length; i += 2)
    if (sender.rawHeaders[i]?.toLowerCase() === name) found++
  return found
}
