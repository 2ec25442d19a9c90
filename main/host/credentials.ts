import { createHash, randomBytes } from 'node:crypto'

const LIMIT = 64

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/**
 * One-time tokens and the sessions they open, in memory only and only as digests (so that the look-up does not
 * leak by its timing). A session belongs to the browser that opened it.
 */
export class Credentials {
  readonly #tokens = new Set<string>()
  readonly #sessions = new Map<string, string>()

  /** 256 bits, usable once. */
  issueToken(): string {
    const token = randomBytes(32).toString('base64url')
    forgetOldest(this.#tokens)
    this.#tokens.add(digest(token))
    return token
  }

  /** The session for a first message of a client: `{token}` (used up) or `{session}`; undefined: refused. */
  accept(message: unknown, userAgent: string): string | undefined {
    if (typeof message !== 'object' || message === null) return undefined
    const keys = Object.keys(message)
    const { token, session } = message as { token?: unknown; session?: unknown }
    if (keys.length !== 1) return undefined
    if (typeof token === 'string' && this.#tokens.delete(digest(token))) {
      const opened = randomBytes(32).toString('base64url')
      forgetOldest(this.#sessions)
      this.#sessions.set(digest(opened), userAgent)
      return opened
    }
    if (typeof session === 'string' && this.#sessions.get(digest(session)) === userAgent) return session
    return undefined
  }
}

function forgetOldest(kept: Set<string> | Map<string, string>): void {
  if (kept.size < LIMIT) return
  for (const oldest of kept.keys()) {
    kept.delete(oldest)
    return
  }
}
