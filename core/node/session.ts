import { EnigmaError } from '../base/errors.ts'
import { minute, second } from '../base/units.ts'
import type { MethodName } from '../ipc/index.ts'
import { NetworkBackup } from './backup.ts'
import { account, type NodeContext, wallet } from './context.ts'
import type { Declassified } from './services/declassify.ts'
import { readSettings } from './services/settings.ts'
import { Uploads } from './uploads.ts'

/** Reading does not keep a vault open: the interface refreshes itself while nobody sits before it. */
const PASSIVE =
  /(\.(list|get|part|status|info|checklist|functions|references|invitations|result|plan)|^settings\.)/

/** The longest that a restore waits for the network to be reached. */
const ONLINE_MS = 20 * second

/** What begins when the vault is opened and ends when it is locked. */
export class Session {
  /** Values the owner revealed, by job; gone with the lock. */
  readonly declassified = new Map<string, Declassified>()
  /** Files on their way in; gone with the lock. */
  readonly uploads = new Uploads()
  readonly #context: NodeContext
  readonly #backup: () => NetworkBackup | undefined
  #idle: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined

  constructor(context: NodeContext, backup: () => NetworkBackup | undefined) {
    this.#context = context
    this.#backup = backup
  }

  /** Signs for the owner from now on, and goes on with the jobs that waited for it. */
  async opened(): Promise<void> {
    const { ledger, jobs, events, options, log } = this.#context
    this.touched('vault.unlock')
    this.#unsubscribe?.()
    this.#unsubscribe = events.subscribe((event) => {
      if (event.type === 'data') this.#backup()?.changed()
    })
    if (!this.#context.online()) return
    const [main, deposit] = [account(this.#context), wallet(this.#context).deposit()]
    ledger.useSigner(main)
    ledger.useSigner(deposit)
    if (options.network.kind === 'devnet')
      await ledger.faucet(main.address).catch((error) => {
        log.warn('faucet failed', { code: EnigmaError.from(error).code })
      })
    jobs.resume()
    this.#backup()?.resume()
  }

  async closing(): Promise<void> {
    const { ledger } = this.#context
    clearTimeout(this.#idle)
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.declassified.clear()
    this.uploads.clear()
    if (!(await this.#context.vault.status()).unlocked) return
    await this.#backup()?.finish()
    ledger.forgetSigner(account(this.#context).address)
    ledger.forgetSigner(wallet(this.#context).deposit().address)
  }

  /** After a restore: the records from the network's backup, now or when the network answers. */
  async recover(): Promise<{ references: number; pending: boolean }> {
    const { clock, index } = this.#context
    NetworkBackup.expectRestore(this.#context)
    const end = clock.now() + ONLINE_MS
    while (this.#backup() === undefined && clock.now() < end) await clock.sleep(250)
    const backup = this.#backup()
    if (backup === undefined) return { references: 0, pending: true }
    await backup.restore()
    const me = account(this.#context).address
    const mine = [...index.references.values()].filter((r) => r.owner === me && !r.revoked)
    return { references: mine.length, pending: backup.restorePending }
  }

  /** Starts the idle time anew; the vault locks when it is over. */
  touched(method: MethodName): void {
    if (PASSIVE.test(method)) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#lock(), readSettings(this.#context).autoLockMinutes * minute)
    this.#idle.unref()
  }

  async #lock(): Promise<void> {
    const { vault, events } = this.#context
    await this.closing()
    await vault.lock()
    events.emit({ type: 'vault' })
    events.emit({ type: 'data' })
  }
}
