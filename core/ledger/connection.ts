import { hexlify } from 'ethers'
import { type Clock, systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { randomBytes } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import * as constants from './constants.ts'
import { ledgerError } from './errors.ts'
import { EventCursor, isTransient } from './events.ts'
import type { WriteOptions, WriteResult } from './ledger.ts'
import { Outbox } from './outbox.ts'
import { Rpc, toBlockRef } from './rpc.ts'
import { TypedDataBuilder } from './typed-data.ts'
import type {
  Address,
  BlockRef,
  EventHandler,
  Hex,
  LedgerClientOptions,
  LedgerDeployment,
  LedgerModules,
  ReadAt,
  Signer,
  StoredIntent,
  Subscription,
} from './types.ts'

/** What all contracts are read and written through: endpoints, blocks, the outbox, events. */
export abstract class LedgerConnection {
  readonly deployment: LedgerDeployment
  readonly #options: Required<LedgerClientOptions>
  readonly #clock: Clock
  readonly #log: Log
  protected readonly rpc: Rpc
  readonly #outbox: Outbox
  protected readonly typed: TypedDataBuilder
  readonly #modules: LedgerModules
  readonly #subscriptions = new Map<string, EventCursor>()
  readonly #stop = new AbortController()
  #watching: Promise<void> | undefined

  constructor(options: LedgerClientOptions, modules: LedgerModules) {
    if (!Number.isInteger(options.confirmations) || options.confirmations < 1)
      throw new EnigmaError('INVALID_ARGUMENT', 'confirmations is an integer of at least 1')
    this.#options = {
      pollMs: constants.DEFAULT_POLL_MS,
      requestTimeoutMs: constants.DEFAULT_REQUEST_TIMEOUT_MS,
      keepBlocks: constants.DEFAULT_KEEP_BLOCKS,
      ...options,
    }
    this.deployment = options.deployment
    this.#modules = modules
    this.#clock = modules.clock ?? systemClock
    this.#log = (modules.log ?? silentLog).child('ledger')
    this.rpc = new Rpc({ ...this.#options, log: this.#log })
    this.typed = new TypedDataBuilder(this.deployment)
    this.#outbox = new Outbox(
      { ...this.#options, chainId: this.deployment.chainId },
      {
        rpc: this.rpc,
        store: modules.outbox,
        clock: this.#clock,
        log: this.#log,
        refill: (account) => this.faucet(account),
      },
    )
  }

  // Life.

  async start(): Promise<void> {
    const codes = await Promise.all(Object.values(this.deployment.addresses).map((a) => this.rpc.code(a)))
    if (codes.includes('0x'))
      throw new EnigmaError(
        'LEDGER_WRONG_CHAIN',
        'the ledger contracts are not at the configured addresses',
        {
          remedy: 'Check the contract addresses in the settings.',
        },
      )
    await this.#outbox.start()
    await this.#outbox.onHead(await this.rpc.head())
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.rpc.close()
    await this.#outbox.stop()
    await Promise.all([...this.#subscriptions.values()].map((s) => s.close()))
    await this.#watching
  }

  useSigner(signer: Signer): void {
    this.#outbox.useSigner(signer)
  }

  forgetSigner(address: Address): void {
    this.#outbox.forgetSigner(address)
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error))
          this.#log.error('ledger.watch-failed', { code: EnigmaError.from(error).code })
      }
      await this.#clock.sleep(this.#options.pollMs, signal).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    await this.#outbox.onHead(await this.rpc.head())
    // Not awaited: a handler may itself wait for a transaction, which needs the next looks.
    for (const [id, subscription] of this.#subscriptions)
      void subscription.advance().catch((error) => {
        if (!this.#stop.signal.aborted && !isTransient(error))
          this.#log.error('ledger.handler-failed', { cursor: id, code: EnigmaError.from(error).code })
      })
  }

  // Reading and writing.

  protected async read(to: Address, data: Hex, at: ReadAt = 'confirmed'): Promise<Hex> {
    const block = at === 'confirmed' ? (await this.confirmedBlock()).number : at
    try {
      return await this.rpc.call(to, data, block)
    } catch (error) {
      throw ledgerError(error, 'read')
    }
  }

  /** Turns what does not decode into LEDGER_UNREACHABLE: the endpoint is of no use. */
  protected async decode<T>(decode: () => T): Promise<T> {
    await turn()
    try {
      return decode()
    } catch (error) {
      if (error instanceof EnigmaError) throw error
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with malformed data', {
        cause: error,
      })
    }
  }

  protected async write(
    signer: Signer,
    label: string,
    to: Address,
    data: Hex,
    value: bigint,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const id = options.id ?? hexlify(randomBytes(16))
    options.signal?.throwIfAborted()
    await this.#outbox.submit(signer, { id, label, to, data, value: value.toString() })
    if (options.wait === 'stored') return { id, txHash: null, blockNumber: null }
    const { txHash, blockNumber } = await this.#outbox.wait(id, options.wait ?? 'confirmed', options.signal)
    return { id, txHash, blockNumber }
  }

  protected seconds(): bigint {
    return BigInt(Math.floor(this.#clock.now() / 1000))
  }

  protected async fixed(at: ReadAt): Promise<number> {
    if (typeof at === 'number') return at
    return (at === 'latest' ? await this.head() : await this.confirmedBlock()).number
  }

  /** All pages of one answer come from one block. */
  protected async readPages<T, R>(
    items: T[],
    at: ReadAt = 'confirmed',
    read: (page: T[], block: number) => Promise<R[]>,
    size: number = constants.READ_PAGE,
  ): Promise<R[]> {
    if (items.length === 0) return []
    const block = await this.fixed(at)
    const out: R[] = []
    for (const pages of chunk(chunk(items, size), constants.READS_AT_ONCE))
      out.push(
        ...(
          await Promise.all(
            pages.map(async (page) => {
              await turn()
              return read(page, block)
            }),
          )
        ).flat(),
      )
    return out
  }

  protected async writePages<T>(
    items: T[],
    size: number,
    options: WriteOptions = {},
    write: (page: T[], options: WriteOptions) => Promise<WriteResult>,
  ): Promise<WriteResult[]> {
    if (items.length === 0) throw new EnigmaError('INVALID_ARGUMENT', 'nothing to write')
    const results: WriteResult[] = []
    for (const [i, page] of chunk(items, size).entries())
      results.push(await write(page, pageOptions(options, i)))
    return results
  }

  // The chain.

  async head(): Promise<BlockRef> {
    return toBlockRef(await this.rpc.head())
  }

  async confirmedBlock(): Promise<BlockRef> {
    const head = await this.rpc.head()
    if (this.#options.confirmations === 1) return toBlockRef(head)
    const block = await this.rpc.block(Math.max(0, head.number - this.#options.confirmations + 1))
    if (!block) throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks the confirmed block')
    return toBlockRef(block)
  }

  balance(account: Address): Promise<bigint> {
    return this.rpc.balance(account)
  }

  async faucet(account: Address, wei: bigint = 100n * 10n ** 18n): Promise<void> {
    if (this.deployment.chainId !== constants.DEVNET_CHAIN_ID)
      throw new EnigmaError('UNSUPPORTED', 'only a devnet has a faucet')
    if ((await this.rpc.balance(account)) >= wei) return
    await this.rpc.devnet('anvil_setBalance', [account, `0x${wei.toString(16)}`])
    // A block of its own, so that the balance is part of what the devnet saves.
    await this.rpc.devnet('evm_mine', [])
  }

  transfer(signer: Signer, to: Address, wei: bigint, options?: WriteOptions): Promise<WriteResult> {
    if (wei <= 0n) throw new EnigmaError('INVALID_ARGUMENT', 'the amount is more than zero')
    return this.write(signer, 'payment', to, '0x', wei, options)
  }

  async block(number: number): Promise<BlockRef | undefined> {
    const block = await this.rpc.block(number)
    return block && toBlockRef(block)
  }

  // Events.

  async subscribe(cursorId: string, handler: EventHandler): Promise<Subscription> {
    if (this.#subscriptions.has(cursorId))
      throw new EnigmaError('INVALID_ARGUMENT', `there is a subscription ${cursorId} already`)
    const { deployment } = this
    const cursor = new EventCursor(
      cursorId,
      { deployment, confirmations: this.#options.confirmations, handler },
      { rpc: this.rpc, cursors: this.#modules.cursors, clock: this.#clock, log: this.#log },
    )
    this.#subscriptions.set(cursorId, cursor)
    return {
      caughtUp: () => cursor.caughtUp(),
      close: async () => {
        this.#subscriptions.delete(cursorId)
        await cursor.close()
      },
    }
  }

  async pending(): Promise<StoredIntent[]> {
    return this.#outbox.pending()
  }
}

/** `items` in pages of `size`. */
export function chunk<T>(items: readonly T[], size: number): T[][] {
  const pages: T[][] = []
  for (let i = 0; i < items.length; i += size) pages.push(items.slice(i, i + size))
  return pages
}

/** The options for a page of a call that writes several. */
export function pageOptions(options: WriteOptions, page: number): WriteOptions {
  return options.id === undefined || page === 0 ? options : { ...options, id: `${options.id}/${page}` }
}
