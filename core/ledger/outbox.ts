import { keccak256 } from 'ethers'
import type { Clock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { second } from '../base/units.ts'
import { DEVNET_CHAIN_ID, GAS_MARGIN_PERCENT } from './constants.ts'
import { AlreadyDoneError, ledgerError, RpcError } from './errors.ts'
import { type Block, type RawReceipt, type Rpc, toQuantity } from './rpc.ts'
import type { Address, Bytes32, OutboxStore, Signer, StoredIntent, TransactionToSign } from './types.ts'

export interface OutboxOptions {
  chainId: number
  confirmations: number
  keepBlocks: number
  pollMs: number
}

interface Modules {
  rpc: Rpc
  store: OutboxStore
  clock: Clock
  log: Log
  /** Devnets: refills an account that a rewind emptied. */
  refill(account: Address): Promise<void>
}

export type Settled = Pick<StoredIntent, 'id' | 'txHash' | 'blockNumber'>

interface Waiter {
  depth: 'mined' | 'confirmed'
  resolve(settled: Settled): void
  reject(error: Error): void
}

/** A dropped transaction is tried this often before it is given up; the pauses double up to half a minute. */
const REDO_ATTEMPTS = 40
const MAX_PAUSE_MS = 30 * second
const FEE_BUMP_AFTER_MS = 60 * second
/** Time a sent transaction gets before anything is suspected. */
const STUCK_AFTER_MS = 2 * second

/**
 * Transactions that survive crashes and reorganisations. An intent is stored before it is sent, sent in order
 * per signer with one in flight, and kept for `keepBlocks` after its block: when the chain forgets the block,
 * the intent is sent again. The contracts answer a repeated call with AlreadyDone, which counts as success.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #modules: Modules
  readonly #signers = new Map<Address, Signer>()
  readonly #intents = new Map<string, StoredIntent>()
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #redo = new Map<string, { attempts: number; notBefore: number }>()
  readonly #workers = new Map<Address, Promise<void>>()
  #head: Block | undefined
  /** The head below which all mined intents are known to be. */
  #verified: Block | undefined
  /** Intents mined since then. */
  readonly #fresh = new Set<StoredIntent>()
  #seq = 0
  #stopped = false

  constructor(options: OutboxOptions, modules: Modules) {
    this.#options = options
    this.#modules = modules
  }

  /** Loads what is stored; the first `onHead` checks that mined intents are still in the chain. */
  async start(): Promise<void> {
    for (const intent of await this.#modules.store.list()) {
      this.#intents.set(intent.id, intent)
      this.#seq = Math.max(this.#seq, intent.seq)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const id of this.#waiters.keys())
      this.#reject(id, new EnigmaError('NOT_RUNNING', 'the ledger has stopped'))
    // A signer may be waiting for a person; what it signs afterwards goes nowhere.
    await Promise.race([Promise.allSettled(this.#workers.values()), this.#modules.clock.sleep(second)])
  }

  useSigner(signer: Signer): void {
    this.#signers.set(signer.address, signer)
    this.#work(signer.address)
  }

  forgetSigner(address: Address): void {
    this.#signers.delete(address)
  }

  pending(): StoredIntent[] {
    return [...this.#intents.values()]
      .filter((i) => i.state === 'pending' || !this.#isConfirmed(i))
      .sort((a, b) => a.seq - b.seq)
      .map((i) => ({ ...i }))
  }

  /** Stores the intent (once per id) and makes sure that it gets sent. */
  async submit(
    signer: Signer,
    intent: Pick<StoredIntent, 'id' | 'label' | 'to' | 'data' | 'value'>,
  ): Promise<void> {
    if (this.#stopped) throw new EnigmaError('NOT_RUNNING', 'the ledger has stopped')
    this.#signers.set(signer.address, signer)
    if (!this.#intents.has(intent.id)) {
      const stored: StoredIntent = {
        ...intent,
        seq: ++this.#seq,
        signer: signer.address,
        state: 'pending',
        nonce: null,
        txHash: null,
        blockNumber: null,
        blockHash: null,
      }
      this.#intents.set(intent.id, stored)
      await this.#modules.store.put(stored)
    }
    this.#work(signer.address)
  }

  /** Resolves at the given depth, or rejects with the reason the ledger refused. Call right after `submit`. */
  wait(id: string, depth: 'mined' | 'confirmed', signal?: AbortSignal): Promise<Settled> {
    const intent = this.#intents.get(id)
    if (!intent) return Promise.resolve({ id, txHash: null, blockNumber: null })
    if (intent.state === 'mined' && (depth === 'mined' || this.#isConfirmed(intent)))
      return Promise.resolve(intent)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { depth, resolve, reject }
      const waiters = this.#waiters.get(id) ?? new Set()
      waiters.add(waiter)
      this.#waiters.set(id, waiters)
      signal?.addEventListener(
        'abort',
        () => {
          waiters.delete(waiter)
          reject(new EnigmaError('CANCELLED', 'no longer waiting; the transaction stays in the outbox'))
        },
        { once: true },
      )
    })
  }

  /**
   * The chain head, at every look. Finds intents the chain forgot, settles the waiting, drops what is deep
   * enough, and looks again at everything that is not in a block.
   */
  async onHead(head: Block): Promise<void> {
    // Blocks may have come and gone since the last look: an unchanged head alone proves nothing about new intents.
    const changed = head.hash !== this.#verified?.hash || this.#fresh.size > 0
    this.#head = head
    if (changed) await this.#onChange(head)
    for (const intent of this.#intents.values()) if (intent.state === 'pending') this.#work(intent.signer)
  }

  async #onChange(head: Block): Promise<void> {
    const fresh = [...this.#fresh]
    if (!(await this.#allCanonical(head, fresh))) await this.#verifyMined()
    for (const intent of fresh)
      if (intent.state !== 'mined' || intent.blockNumber! <= head.number) this.#fresh.delete(intent)
    this.#verified = head
    for (const intent of [...this.#intents.values()]) {
      if (intent.state !== 'mined' || intent.blockNumber === null) continue
      if (this.#isConfirmed(intent)) this.#resolve(intent, 'confirmed')
      if (head.number - intent.blockNumber >= this.#options.keepBlocks && !this.#waiters.has(intent.id)) {
        this.#intents.delete(intent.id)
        await this.#modules.store.delete(intent.id)
      }
    }
  }

  /** Everything verified lies below the last head; what was mined since has to be looked up. */
  async #allCanonical(head: Block, fresh: StoredIntent[]): Promise<boolean> {
    const { rpc } = this.#modules
    const last = this.#verified
    if (!last || head.number < last.number) return false
    if (head.hash !== last.hash && head.parentHash !== last.hash)
      if ((await rpc.block(last.number))?.hash !== last.hash) return false
    for (const { blockNumber, blockHash } of fresh) {
      if (blockNumber === null || blockNumber > head.number) return false
      if ((await rpc.block(blockNumber))?.hash !== blockHash) return false
    }
    return true
  }

  async #verifyMined(): Promise<void> {
    const dropped = new Set<Address>()
    for (const intent of [...this.#intents.values()].sort((a, b) => a.seq - b.seq)) {
      if (intent.state !== 'mined') continue
      const receipt = intent.txHash === null ? undefined : await this.#modules.rpc.receipt(intent.txHash)
      if (receipt?.status === 1n) {
        if (dropped.has(intent.signer) && intent.value === '0') await this.#again(intent)
        else if (receipt.blockHash !== intent.blockHash) await this.#setMined(intent, receipt)
        continue
      }
      dropped.add(intent.signer)
      this.#modules.log.warn('ledger.transaction-dropped', {
        label: intent.label,
        block: intent.blockNumber ?? 0,
      })
      await this.#update(intent, { state: 'pending', blockHash: null })
    }
  }

  /** It got in before one that comes earlier: its turn comes again, and ends with AlreadyDone if nothing changed. */
  #again(intent: StoredIntent): Promise<void> {
    return this.#update(intent, { state: 'pending', txHash: null, nonce: null })
  }

  /** One that comes earlier is still to be sent, or got in later. */
  #overtook(intent: StoredIntent): boolean {
    for (const other of this.#intents.values()) {
      if (other.signer !== intent.signer || other.seq >= intent.seq) continue
      if (other.state === 'pending' || (other.nonce ?? -1) > (intent.nonce ?? 0)) return true
    }
    return false
  }

  #work(signer: Address): void {
    if (this.#stopped || this.#workers.has(signer) || !this.#signers.has(signer)) return
    const worker = this.#drain(signer).catch((error) => {
      this.#modules.log.warn('ledger.outbox-paused', { signer, code: EnigmaError.from(error).code })
    })
    this.#workers.set(
      signer,
      worker.finally(() => this.#workers.delete(signer)),
    )
  }

  /** Sends the signer's pending intents in order; connection trouble ends it until the next head or retry. */
  async #drain(address: Address): Promise<void> {
    for (;;) {
      const signer = this.#signers.get(address)
      const intent = this.#next(address)
      if (this.#stopped || !signer || !intent) return
      try {
        await this.#process(signer, intent)
      } catch (error) {
        if (this.#stopped) return
        if (
          hasCode(
            error,
            'LEDGER_UNREACHABLE',
            'LEDGER_WRONG_CHAIN',
            'NOT_RUNNING',
            'NONCE_CONFLICT',
            'TIMEOUT',
          )
        )
          throw error
        await this.#refused(intent, error as Error)
      }
    }
  }

  #next(address: Address): StoredIntent | undefined {
    const now = this.#modules.clock.now()
    let first: StoredIntent | undefined
    for (const intent of this.#intents.values()) {
      if (intent.signer !== address || intent.state !== 'pending') continue
      if ((this.#redo.get(intent.id)?.notBefore ?? 0) > now) continue
      if (!first || intent.seq < first.seq) first = intent
    }
    return first
  }

  async #process(signer: Signer, intent: StoredIntent): Promise<void> {
    const { rpc } = this.#modules
    if (intent.txHash !== null) {
      const receipt = await rpc.receipt(intent.txHash)
      if (receipt) return this.#onReceipt(intent, receipt)
      if (await rpc.isKnownTransaction(intent.txHash)) return this.#awaitReceipt(signer, intent)
    }
    const tx = await this.#prepare(intent)
    await this.#sign(signer, intent, tx)
    await this.#awaitReceipt(signer, intent, tx)
  }

  async #prepare(
    intent: Pick<StoredIntent, 'label' | 'signer' | 'to' | 'data' | 'value'>,
  ): Promise<TransactionToSign> {
    const { rpc } = this.#modules
    const value = BigInt(intent.value)
    const call = { from: intent.signer, to: intent.to, data: intent.data, value: toQuantity(value) }
    let gas: bigint
    try {
      gas = await rpc.estimateGas(call)
    } catch (error) {
      throw ledgerError(error, intent.label)
    }
    const [nonce, head, tip] = await Promise.all([rpc.nonce(intent.signer), rpc.head(), rpc.gasTip()])
    return {
      chainId: this.#options.chainId,
      nonce,
      to: intent.to,
      value,
      data: intent.data,
      gasLimit: gas + (gas * GAS_MARGIN_PERCENT) / 100n,
      maxFeePerGas: (head.baseFeePerGas ?? 0n) * 2n + tip,
      maxPriorityFeePerGas: tip,
    }
  }

  /** Signs, records nonce and hash durably, then sends: after a crash in between the hash is still known. */
  async #sign(signer: Signer, intent: StoredIntent, tx: TransactionToSign): Promise<void> {
    const raw = await signer.signTransaction(tx)
    await this.#update(intent, { nonce: tx.nonce, txHash: keccak256(raw) as Bytes32 })
    try {
      await this.#modules.rpc.sendRaw(raw)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      if (/already known|already imported/i.test(error.message)) return
      if (/nonce too low|replacement|underpriced|nonce/i.test(error.message))
        throw new EnigmaError('NONCE_CONFLICT', `${intent.label}: another transaction took the nonce`, {
          cause: error,
        })
      throw ledgerError(error, intent.label)
    }
  }

  /** Until it is in a block; returns early when there is something to do first, or again. */
  async #awaitReceipt(signer: Signer, intent: StoredIntent, sent?: TransactionToSign): Promise<void> {
    const { rpc, clock } = this.#modules
    const started = clock.now()
    let pause = Math.min(50, this.#options.pollMs)
    while (!this.#stopped) {
      const receipt = await rpc.receipt(intent.txHash!)
      if (receipt) return this.#onReceipt(intent, receipt)
      // A reorganisation dropped one that came before: it goes first, this one may be waiting for its nonce.
      if ((this.#next(intent.signer)?.seq ?? intent.seq) < intent.seq) return
      const waited = clock.now() - started
      if (waited > STUCK_AFTER_MS) {
        // A payment that one endpoint does not know may still be under way elsewhere.
        const patient = intent.value !== '0' && waited <= FEE_BUMP_AFTER_MS
        if (!(await rpc.isKnownTransaction(intent.txHash!))) {
          if (!patient) return
        } else if ((await rpc.nonce(intent.signer)) < intent.nonce!) {
          await this.#fillNonce(signer)
        } else if (waited > FEE_BUMP_AFTER_MS && sent) {
          const higher = (fee: bigint) => fee + fee / 4n + 1n
          // The nonce is the same, so only one of the two can get into a block.
          return this.#sign(signer, intent, {
            ...sent,
            maxFeePerGas: higher(sent.maxFeePerGas),
            maxPriorityFeePerGas: higher(sent.maxPriorityFeePerGas),
          })
        }
      }
      await clock.sleep(pause)
      pause = Math.min(pause * 2, this.#options.pollMs)
    }
  }

  /**
   * A transaction waits behind a nonce that a reorganisation freed. An empty payment to oneself takes it: sending
   * the waiting one again under the free nonce could get it in twice.
   */
  async #fillNonce(signer: Signer): Promise<void> {
    const { address } = signer
    const empty = { label: 'empty', signer: address, to: address, data: '0x' as const, value: '0' }
    const raw = await signer.signTransaction(await this.#prepare(empty))
    await this.#modules.rpc.sendRaw(raw).catch((error) => {
      if (!(error instanceof RpcError)) throw error
    })
  }

  async #onReceipt(intent: StoredIntent, receipt: RawReceipt): Promise<void> {
    if (receipt.status === 1n) return this.#setMined(intent, receipt)
    const { rpc } = this.#modules
    // It ran and failed: ask again for the reason, the state may have moved since the estimate.
    let reason: Error = new EnigmaError(
      'LEDGER_REVERTED',
      `${intent.label}: the transaction failed in its block`,
    )
    try {
      await rpc.call(intent.to, intent.data, 'latest', intent.signer)
    } catch (error) {
      reason = ledgerError(error, intent.label)
    }
    await this.#update(intent, { txHash: null, nonce: null })
    throw reason
  }

  async #setMined(intent: StoredIntent, receipt: RawReceipt): Promise<void> {
    this.#redo.delete(intent.id)
    const { blockNumber, blockHash } = receipt
    await this.#update(intent, { state: 'mined', blockNumber, blockHash })
    this.#fresh.add(intent)
    if (intent.value === '0' && this.#overtook(intent)) return this.#again(intent)
    const head = this.#head && this.#head.number >= blockNumber ? this.#head : await this.#modules.rpc.head()
    this.#resolve(intent, this.#isConfirmed(intent, head) ? 'confirmed' : 'mined')
  }

  async #refused(intent: StoredIntent, error: Error): Promise<void> {
    const { clock, log, store } = this.#modules
    if (!(error instanceof AlreadyDoneError) && this.#isRedo(intent)) {
      // What it rests on may be on its way from another process.
      const { attempts } = this.#redo.get(intent.id) ?? { attempts: 0 }
      if (attempts < REDO_ATTEMPTS) {
        if (hasCode(error, 'INSUFFICIENT_FUNDS') && this.#options.chainId === DEVNET_CHAIN_ID)
          await this.#modules.refill(intent.signer)
        const pause = Math.min(this.#options.pollMs * 2 ** attempts, MAX_PAUSE_MS)
        this.#redo.set(intent.id, { attempts: attempts + 1, notBefore: clock.now() + pause })
        return
      }
      log.error('ledger.transaction-lost', { label: intent.label, code: EnigmaError.from(error).code })
    }
    if (error instanceof AlreadyDoneError) {
      await this.#alreadyDone(intent)
      return
    }
    this.#redo.delete(intent.id)
    this.#intents.delete(intent.id)
    await store.delete(intent.id)
    log.warn('ledger.transaction-refused', { label: intent.label, code: EnigmaError.from(error).code })
    this.#reject(intent.id, error)
  }

  /**
   * Kept like any other, without a transaction to look for: after a rewind it is tried again. The block it is
   * tied to must be one whose state has the effect, so the question is asked once more about exactly that block.
   */
  async #alreadyDone(intent: StoredIntent): Promise<void> {
    const { rpc } = this.#modules
    const head = await rpc.head()
    try {
      await rpc.call(intent.to, intent.data, head.number, intent.signer)
      return
    } catch (error) {
      const again = ledgerError(error, intent.label)
      if (hasCode(again, 'LEDGER_UNREACHABLE', 'LEDGER_WRONG_CHAIN', 'NOT_RUNNING')) throw again
      if (!(again instanceof AlreadyDoneError)) return
    }
    if ((await rpc.block(head.number))?.hash !== head.hash) return
    this.#redo.delete(intent.id)
    const place = { blockNumber: head.number, blockHash: head.hash }
    await this.#update(intent, { state: 'mined', txHash: null, nonce: null, ...place })
    this.#fresh.add(intent)
    this.#resolve({ id: intent.id, txHash: null, blockNumber: null }, 'confirmed')
  }

  /** It was in a block once. */
  #isRedo(intent: StoredIntent): boolean {
    return intent.blockNumber !== null
  }

  #isConfirmed(intent: StoredIntent, head = this.#head): boolean {
    if (intent.state !== 'mined' || intent.blockNumber === null || !head) return false
    return head.number - intent.blockNumber + 1 >= this.#options.confirmations
  }

  async #update(intent: StoredIntent, patch: Partial<StoredIntent>): Promise<void> {
    if (this.#stopped) throw new EnigmaError('NOT_RUNNING', 'the ledger has stopped')
    Object.assign(intent, patch)
    await this.#modules.store.put({ ...intent })
  }

  #resolve(settled: Settled, depth: 'mined' | 'confirmed'): void {
    const waiters = this.#waiters.get(settled.id)
    for (const waiter of waiters ?? []) {
      if (waiter.depth === 'confirmed' && depth === 'mined') continue
      waiters!.delete(waiter)
      waiter.resolve(settled)
    }
    if (waiters?.size === 0) this.#waiters.delete(settled.id)
  }

  #reject(id: string, error: Error): void {
    for (const waiter of this.#waiters.get(id) ?? []) waiter.reject(error)
    this.#waiters.delete(id)
  }
}
