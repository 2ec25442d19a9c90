import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { MiB, second } from '../base/units.ts'
import { encryptedKey } from '../dht/records.ts'
import type { Hash } from '../dht/types.ts'
import { account, type NodeContext } from './context.ts'
import { ownerSigner } from './services/share.ts'

/** L[account][H("enigma/vault-backup/1")]: where the newest backup of this account is. */
const POINTER = toHex(keccak_256(utf8('enigma/vault-backup/1')))
const REPLICAS = 3
const QUORUM = 2
/** An encrypted record's limit, less some room; larger vaults are backed up by export. */
const MAX_BYTES = 30 * MiB
/** Changes in quick succession make one backup. */
const SETTLE_MS = 5 * second
const RETRY_MS = 10 * second
/** The longest that locking waits for a backup that is due. */
const FINISH_MS = 3 * second
/** The longest that a restore waits for the network; it goes on in the background. */
const RESTORE_MS = 20 * second
/** Settings: this vault was made from a phrase and has not taken over its backup yet. */
const PENDING = 'backup.restore-pending'

/**
 * Keeps a copy of the vault in the network, so that the phrase alone restores everything on an empty machine: an
 * export sealed under the phrase, stored as encrypted data with several holders, found through the ledger.
 */
export class NetworkBackup {
  readonly #context: NodeContext
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(context: NodeContext) {
    this.#context = context
  }

  /** From now on the backup in the network comes first: nothing is written before it has been merged. */
  static expectRestore(context: Pick<NodeContext, 'settings'>): void {
    context.settings.set(PENDING, true)
  }

  get restorePending(): boolean {
    return this.#context.settings.get(PENDING) === true
  }

  /** Notes that the vault changed. */
  changed(): void {
    this.#after(SETTLE_MS)
  }

  /** Goes on with a restore that the network did not allow so far. */
  resume(): void {
    if (this.restorePending) this.#after(0)
  }

  /** Merges the backup into the open vault, waiting a while for a network that is slow to answer. */
  async restore(): Promise<void> {
    const { clock } = this.#context
    const end = clock.now() + RESTORE_MS
    while (this.restorePending) {
      await this.flush()
      if (!this.restorePending || clock.now() > end) return
      await clock.sleep(second)
    }
  }

  /** Writes what is due before the keys go, but does not keep a lock or a stop waiting for a slow network. */
  async finish(): Promise<void> {
    if (this.#timer === undefined && this.#running === undefined) return
    await Promise.race([this.flush(), this.#context.clock.sleep(FINISH_MS)])
    this.stop()
  }

  /** Forgets what is due. */
  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Writes a backup now. A failure is logged and tried again a little later. */
  async flush(): Promise<void> {
    this.stop()
    // One after the other: they use one file, and the newest must be the last.
    while (this.#running !== undefined) await this.#running
    this.#running = this.#write()
      .catch((error) => {
        this.#context.log.info('network backup postponed', { code: EnigmaError.from(error).code })
        if (!hasCode(error, 'VAULT_LOCKED', 'QUOTA_EXCEEDED')) this.#after(RETRY_MS)
      })
      .finally(() => {
        this.#running = undefined
      })
    await this.#running
  }

  #after(ms: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.flush()
    }, ms)
  }

  async #write(): Promise<void> {
    const { vault, dht, ledger, settings, events } = this.#context
    if (!(await vault.status()).unlocked) return
    if (this.restorePending) {
      const added = await this.#merge()
      settings.delete(PENDING)
      if (added > 0) events.emit({ type: 'data' })
      return
    }
    const path = await this.#path('network-backup.tmp')
    let ciphertext: Uint8Array
    try {
      await vault.exportTo(path, { phrase: true })
      // A view: the copy of a large vault would take too long.
      const { buffer, byteOffset, byteLength } = await readFile(path)
      ciphertext = new Uint8Array(buffer, byteOffset, byteLength)
    } finally {
      await rm(path, { force: true })
    }
    if (ciphertext.length > MAX_BYTES)
      throw new EnigmaError('QUOTA_EXCEEDED', 'the vault is too large for a backup in the network')
    const me = account(this.#context)
    const signer = ownerSigner(this.#context)
    await turn()
    const key = encryptedKey(me.address, ciphertext)
    const prepared = await dht.client.prepareEncrypted(
      { kind: 'encrypted', key, owner: me.address, ciphertext },
      signer,
      { replicas: REPLICAS, quorum: QUORUM },
    )
    await dht.client.commit(prepared, signer)
    const previous = toHex(await ledger.get(me.address, POINTER, 'latest'))
    await ledger.set(me, POINTER, fromHex(key, 32))
    if (previous.length === 66 && previous !== key)
      await dht.client.delete('encrypted', previous as Hash, signer)
  }

  /** Merges the newest backup into the open vault. Returns the records added; 0 when there is no backup. */
  async #merge(): Promise<number> {
    const { vault, dht, ledger, index } = this.#context
    const me = account(this.#context)
    await index.caughtUp()
    // The one before the latest may be gone from the holders already.
    const key = toHex(await ledger.get(me.address, POINTER, 'latest')) as Hash
    if (key.length !== 66) return 0
    const holders = (await dht.client.locate('encrypted', key)).map((r) => r.holder)
    const { records } = await dht.client.load('encrypted', key, {
      signer: ownerSigner(this.#context),
      purpose: 'load',
      holders,
      enough: 1,
    })
    const found = records[0]
    if (found === undefined)
      throw new EnigmaError('NOT_FOUND', 'the backup in the network could not be loaded', {
        remedy: 'It is tried again by itself. An export file can be imported as well.',
      })
    const path = await this.#path('network-restore.tmp')
    try {
      await writeFile(path, found.record.ciphertext, { mode: 0o600 })
      return (await vault.importFrom(path, { phrase: true })).added
    } finally {
      await rm(path, { force: true })
    }
  }

  async #path(name: string): Promise<string> {
    const dir = join(this.#context.options.dataDir, 'exports')
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const path = join(dir, name)
    await rm(path, { force: true })
    return path
  }
}
