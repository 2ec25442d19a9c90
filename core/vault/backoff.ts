import { utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { second } from '../base/units.ts'
import { FIRST_BACKOFF_MS, FREE_ATTEMPTS, MAX_BACKOFF_MS } from './constants.ts'
import { readWhole, replaceFile } from './fs.ts'
import type { VaultFs } from './types.ts'

/** Wait after `failures` wrong passwords in a row, in milliseconds. */
export function backoffMs(failures: number): number {
  if (failures < FREE_ATTEMPTS) return 0
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - FREE_ATTEMPTS, 20))
}

interface Attempts {
  failures: number
  /** Milliseconds since the epoch of the last attempt. */
  at: number
}

/**
 * Slows guessing at the keyboard, across restarts. An attempt is counted durably before the password is tried,
 * so ending the process in the middle gains nothing. (Whoever has the file can guess without us: that is what
 * Argon2id is for.)
 */
export class Backoff {
  readonly #fs: VaultFs
  readonly #path: string
  readonly #clock: Clock
  readonly #log: Log
  #attempts: Attempts | undefined

  constructor(fs: VaultFs, path: string, clock: Clock, log: Log) {
    this.#fs = fs
    this.#path = path
    this.#clock = clock
    this.#log = log
  }

  async failures(): Promise<number> {
    return (await this.#load()).failures
  }

  /** Milliseconds for which attempts are refused; 0: none. */
  async remainingMs(): Promise<number> {
    const { failures, at } = await this.#load()
    const wait = backoffMs(failures)
    // A clock that was set back must not shorten the wait, and one set far forward cannot lengthen it.
    const passed = Math.max(0, this.#clock.now() - at)
    return Math.max(0, wait - passed)
  }

  /**
   * Runs `attempt`, which gives undefined for a wrong password. Throws BACKOFF with `details.seconds` while
   * attempts are refused, PASSWORD_WRONG with `details.failures`. Other errors do not count as wrong.
   */
  async guard<T>(attempt: () => Promise<T | undefined>): Promise<{ value: T; failuresBefore: number }> {
    const remaining = await this.remainingMs()
    if (remaining > 0) throw refuse(remaining)
    const before = await this.#load()
    const counted = { failures: before.failures + 1, at: this.#clock.now() }
    await this.#store(counted)
    let value: T | undefined
    try {
      value = await attempt()
    } catch (error) {
      await this.#store(before)
      throw error
    }
    if (value === undefined) {
      const wait = backoffMs(counted.failures)
      throw new EnigmaError('PASSWORD_WRONG', 'the password is wrong', {
        remedy:
          wait > 0
            ? `Wait ${Math.ceil(wait / second)} seconds before the next try, or use your recovery phrase.`
            : 'Try again, or use your recovery phrase.',
        details: { failures: counted.failures, seconds: Math.ceil(wait / second) },
      })
    }
    await this.#store({ failures: 0, at: this.#clock.now() })
    return { value, failuresBefore: before.failures }
  }

  /** After the owner proved themselves in another way (recovery phrase). */
  async reset(): Promise<void> {
    await this.#store({ failures: 0, at: this.#clock.now() })
  }

  async #load(): Promise<Attempts> {
    if (this.#attempts === undefined) {
      let attempts: Attempts = { failures: 0, at: 0 }
      if (await this.#fs.exists(this.#path)) {
        try {
          const parsed: unknown = JSON.parse(
            new TextDecoder().decode(await readWhole(this.#fs, this.#path, 4096)),
          )
          const { failures, at } = parsed as Partial<Attempts>
          if (!Number.isSafeInteger(failures) || failures! < 0 || !Number.isFinite(at))
            throw new Error('malformed')
          attempts = { failures: failures!, at: at! }
        } catch {
          // Damaging the file must not reset the count.
          attempts = { failures: FREE_ATTEMPTS, at: this.#clock.now() }
        }
      }
      this.#attempts = attempts
    }
    return this.#attempts
  }

  async #store(attempts: Attempts): Promise<void> {
    this.#attempts = attempts
    try {
      await replaceFile(this.#fs, this.#path, [utf8(`${JSON.stringify({ version: 1, ...attempts })}\n`)])
    } catch (error) {
      // On a full or read-only disk the owner must still get in; the count then lives in this process only.
      this.#log.warn('unlock attempts not saved', { code: EnigmaError.from(error).code })
    }
  }
}

function refuse(remainingMs: number): EnigmaError {
  const seconds = Math.ceil(remainingMs / second)
  return new EnigmaError('BACKOFF', `too many wrong passwords: ${seconds} seconds to wait`, {
    remedy: `Wait ${seconds} seconds, or use your recovery phrase.`,
    details: { seconds },
  })
}
