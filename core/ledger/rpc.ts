import { z } from 'zod'
import { EnigmaError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import { isAboutRequest, RpcError } from './errors.ts'
import { HttpEndpoint } from './http.ts'
import type { Address, BlockRef, Bytes32, Hex, LedgerDeployment } from './types.ts'

const hex = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .transform((s) => s.toLowerCase() as Hex)
const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((s) => s.toLowerCase() as Bytes32)
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((s) => s.toLowerCase() as Address)
const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((s) => BigInt(s))
const count = quantity.refine((n) => n <= BigInt(Number.MAX_SAFE_INTEGER)).transform(Number)

const blockSchema = z.object({
  number: count,
  hash: word,
  parentHash: word,
  timestamp: count,
  baseFeePerGas: quantity.optional(),
})
export type Block = z.infer<typeof blockSchema>

const logSchema = z.object({
  address,
  topics: z.array(word).max(4),
  data: hex,
  blockNumber: count,
  blockHash: word,
  transactionHash: word,
  logIndex: count,
  removed: z.boolean().optional(),
})
export type RawLog = z.infer<typeof logSchema>

const receiptSchema = z.object({
  transactionHash: word,
  blockNumber: count,
  blockHash: word,
  status: quantity,
  gasUsed: quantity,
})
export type RawReceipt = z.infer<typeof receiptSchema>

const answerSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }).nullish(),
})

export interface RpcOptions {
  endpoints: string[]
  deployment: Pick<LedgerDeployment, 'chainId' | 'genesisHash'>
  requestTimeoutMs: number
  log: Log
}

interface Endpoint {
  http: HttpEndpoint
  checked: boolean
  wrongChain: boolean
}

/**
 * JSON-RPC over HTTP to several endpoints. A request goes to the preferred one; when it fails, is slow, or
 * answers nonsense, the next is asked and preferred from then on. Every endpoint must show the right chain id
 * and genesis block before it is believed, and again after each failure.
 */
export class Rpc {
  readonly #options: RpcOptions
  readonly #endpoints: Endpoint[]
  #closed = false
  #preferred = 0
  #id = 0

  constructor(options: RpcOptions) {
    if (options.endpoints.length === 0)
      throw new EnigmaError('INVALID_ARGUMENT', 'no ledger endpoint is configured')
    this.#options = options
    this.#endpoints = options.endpoints.map((url) => ({
      ...{ http: new HttpEndpoint(url), checked: false, wrongChain: false },
    }))
  }

  close(): void {
    this.#closed = true
    for (const { http } of this.#endpoints) http.close()
  }

  /** Throws RpcError when the request itself is refused, LEDGER_UNREACHABLE or LEDGER_WRONG_CHAIN when no endpoint serves. */
  async request<T>(method: string, params: unknown[], schema: z.ZodType<T>): Promise<T> {
    const failures: string[] = []
    const first = this.#preferred
    for (let i = 0; i < this.#endpoints.length; i++) {
      const index = (first + i) % this.#endpoints.length
      const endpoint = this.#endpoints[index]!
      try {
        await this.#check(endpoint)
        const value = await schema.parseAsync(await this.#send(endpoint, method, params))
        this.#preferred = index
        return value
      } catch (error) {
        if (this.#closed) throw new EnigmaError('NOT_RUNNING', 'the ledger client has stopped')
        if (error instanceof RpcError && isAboutRequest(error)) throw error
        endpoint.checked = false
        const { message, code } = error as NodeJS.ErrnoException
        failures.push(error instanceof z.ZodError ? 'malformed answer' : message || `${code}`)
        this.#options.log.debug('ledger.endpoint-failed', {
          method,
          endpoint: index,
          failure: failures.at(-1)!,
        })
      }
    }
    if (this.#endpoints.every((e) => e.wrongChain))
      throw new EnigmaError('LEDGER_WRONG_CHAIN', `the endpoint serves another chain: ${failures[0]}`, {
        remedy: 'Check the endpoint and the contract addresses in the settings.',
      })
    throw new EnigmaError(
      'LEDGER_UNREACHABLE',
      `no ledger endpoint answered ${method}: ${failures.join('; ')}`,
      {
        remedy: 'Check the network connection and the endpoints in the settings.',
      },
    )
  }

  /** The same question to every endpoint; undefined for those that failed. */
  async requestAll<T>(method: string, params: unknown[], schema: z.ZodType<T>): Promise<(T | undefined)[]> {
    return Promise.all(
      this.#endpoints.map(async (endpoint) => {
        try {
          await this.#check(endpoint)
          return schema.parse(await this.#send(endpoint, method, params))
        } catch {
          endpoint.checked = false
          return undefined
        }
      }),
    )
  }

  async #check(endpoint: Endpoint): Promise<void> {
    if (endpoint.checked) return
    const { chainId, genesisHash } = this.#options.deployment
    const id = count.parse(await this.#send(endpoint, 'eth_chainId', []))
    const genesis = blockSchema.parse(await this.#send(endpoint, 'eth_getBlockByNumber', ['0x0', false]))
    endpoint.wrongChain = id !== chainId || genesis.hash !== genesisHash
    if (endpoint.wrongChain)
      throw new Error(id === chainId ? 'another genesis block' : `chain id ${id} instead of ${chainId}`)
    endpoint.checked = true
  }

  async #send(endpoint: Endpoint, method: string, params: unknown[]): Promise<unknown> {
    const id = ++this.#id
    const { status, text } = await endpoint.http.post(
      JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      this.#options.requestTimeoutMs,
    )
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      throw new Error(`HTTP ${status}`)
    }
    const answer = answerSchema.parse(body)
    if (answer.id !== id) throw new Error('answer to another request')
    if (answer.error) {
      const data = hex.safeParse(answer.error.data)
      throw new RpcError(answer.error.code, answer.error.message, data.success ? data.data : undefined)
    }
    if (answer.result === undefined) throw new Error('empty answer')
    return answer.result
  }

  // ---------------------------------------------------------------- the methods in use

  async block(at: number | 'latest'): Promise<Block | undefined> {
    const tag = at === 'latest' ? at : toQuantity(at)
    return (await this.request('eth_getBlockByNumber', [tag, false], blockSchema.nullable())) ?? undefined
  }

  async head(): Promise<Block> {
    const block = await this.block('latest')
    if (!block) throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint has no newest block')
    return block
  }

  call(to: Address, data: Hex, at: number | 'latest', from?: Address): Promise<Hex> {
    const tag = at === 'latest' ? at : toQuantity(at)
    return this.request('eth_call', [{ to, data, ...(from ? { from } : {}) }, tag], hex)
  }

  async callAll(to: Address, data: Hex, at: number): Promise<(Hex | undefined)[]> {
    return this.requestAll('eth_call', [{ to, data }, toQuantity(at)], hex)
  }

  code(at: Address): Promise<Hex> {
    return this.request('eth_getCode', [at, 'latest'], hex)
  }

  balance(account: Address): Promise<bigint> {
    return this.request('eth_getBalance', [account, 'latest'], quantity)
  }

  nonce(account: Address): Promise<number> {
    return this.request('eth_getTransactionCount', [account, 'latest'], count)
  }

  estimateGas(tx: { from: Address; to: Address; data: Hex; value: Hex }): Promise<bigint> {
    return this.request('eth_estimateGas', [tx], quantity)
  }

  async gasTip(): Promise<bigint> {
    return this.request('eth_maxPriorityFeePerGas', [], quantity).catch(() => 1_000_000_000n)
  }

  sendRaw(raw: Hex): Promise<Bytes32> {
    return this.request('eth_sendRawTransaction', [raw], word)
  }

  async isKnownTransaction(hash: Bytes32): Promise<boolean> {
    return (
      (await this.request('eth_getTransactionByHash', [hash], z.object({ hash: word }).nullable())) !== null
    )
  }

  async receipt(hash: Bytes32): Promise<RawReceipt | undefined> {
    const receipt = await this.request('eth_getTransactionReceipt', [hash], receiptSchema.nullable())
    if (receipt && receipt.transactionHash !== hash)
      throw new EnigmaError(
        'LEDGER_UNREACHABLE',
        'the endpoint answered with the receipt of another transaction',
      )
    return receipt ?? undefined
  }

  /** Logs of `addresses` in blocks from … to, in chain order; rejects answers outside what was asked. */
  async logs(
    addresses: Address[],
    from: number,
    to: number,
    topics: (Hex | Hex[] | null)[] = [],
  ): Promise<RawLog[]> {
    const filter = { address: addresses, fromBlock: toQuantity(from), toBlock: toQuantity(to), topics }
    const known = new Set(addresses)
    const asked = logSchema.refine(
      (l) => known.has(l.address) && l.blockNumber >= from && l.blockNumber <= to && !l.removed,
    )
    // A page of a busy chain has thousands.
    const schema = z.array(z.unknown()).transform(async (items, context): Promise<RawLog[]> => {
      const logs: RawLog[] = []
      for (const item of items) {
        await turn()
        const log = asked.safeParse(item)
        if (!log.success) {
          context.addIssue({ code: 'custom', message: 'not an event that was asked for' })
          return z.NEVER
        }
        logs.push(log.data)
      }
      return logs
    })
    const logs = await this.request('eth_getLogs', [filter], schema)
    return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
  }

  async devnet(method: `anvil_${string}` | 'evm_mine', params: unknown[]): Promise<void> {
    await this.request(method, params, z.unknown())
  }
}

export function toQuantity(n: number | bigint): Hex {
  return `0x${n.toString(16)}`
}

export function toBlockRef(block: Block): BlockRef {
  return { number: block.number, hash: block.hash, timestamp: block.timestamp }
}
