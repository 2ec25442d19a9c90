import { randomInt } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { id as hashText, Wallet } from 'ethers'
import { z } from 'zod'
import { fromHex } from '../base/bytes.ts'
import { systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { second } from '../base/units.ts'
import { type AnvilProcess, freePort, spawnAnvil } from './anvil.ts'
import { DEVNET_CHAIN_ID } from './constants.ts'
import { type DeployParameters, deployLedger } from './deploy.ts'
import { type DevnetConfig, DevnetState, lockDirectory, parseState, writeLoadFile } from './devnet-state.ts'
import { localSigner } from './signers.ts'
import type { Address, Hex, LedgerDeployment } from './types.ts'

export interface DevnetOptions {
  /** Where the chain lives between runs; created if missing. One process at a time. */
  directory: string
  /** Loopback port; default: the one of the last run, else a free one. */
  port?: number
  log?: Log
  /** Milliseconds between looks whether there is something to save. */
  saveMs?: number
  parameters?: Partial<DeployParameters>
}

const DEVNET_PARAMETERS: DeployParameters = {
  minimumDepositWei: 10n ** 18n,
  unbondingSeconds: 60,
  answerSeconds: 3600,
}
const BASE_GAS_LIMIT = 60_000_000
const KEPT_STATES = 512
const START_TIMEOUT_MS = 30 * second
const ETHER = 10n ** 18n

/**
 * A chain of one's own: anvil on 127.0.0.1 with the ledger's contracts. The state is saved within about a
 * second of every block; after a kill -9 of anvil or of this process the chain comes back as last saved, some
 * blocks earlier, which clients treat as a reorganisation. A crashed anvil is restarted on the same port.
 */
export class Devnet {
  readonly deployment: LedgerDeployment
  readonly endpoint: string
  readonly #port: number
  readonly #config: DevnetConfig
  readonly #state: DevnetState
  readonly #log: Log
  readonly #saveMs: number
  readonly #release: () => Promise<void>
  readonly #stop = new AbortController()
  #anvil: AnvilProcess
  #saved = ''
  #tasks: Promise<unknown> = Promise.resolve()
  #background: Promise<void>[] = []

  private constructor(
    options: { port: number; saveMs: number; log: Log },
    modules: { config: DevnetConfig; state: DevnetState; anvil: AnvilProcess; release: () => Promise<void> },
  ) {
    this.#port = options.port
    this.endpoint = `http://127.0.0.1:${options.port}`
    this.#saveMs = options.saveMs
    this.#log = options.log
    this.#config = modules.config
    this.deployment = modules.config.deployment as LedgerDeployment
    this.#state = modules.state
    this.#anvil = modules.anvil
    this.#release = modules.release
  }

  /** Starts or continues the devnet in `directory`. STORAGE_CORRUPT if its state cannot be read. */
  static async start(options: DevnetOptions): Promise<Devnet> {
    const directory = resolve(options.directory)
    const log = (options.log ?? silentLog).child('devnet')
    const release = await lockDirectory(directory)
    let anvil: AnvilProcess | undefined
    try {
      const state = new DevnetState(directory)
      const stored = await state.config()
      const port = await freePort(options.port ?? stored?.port ?? 0)
      const config: DevnetConfig = {
        version: 1,
        port,
        gasLimit: stored?.gasLimit ?? BASE_GAS_LIMIT + randomInt(1 << 24),
        deployment: stored?.deployment ?? null,
      }
      await state.saveConfig(config)
      anvil = await launch(state, config, port)
      if (!config.deployment) {
        const parameters = { ...DEVNET_PARAMETERS, ...options.parameters }
        config.deployment = await deployDevnet(`http://127.0.0.1:${port}`, parameters)
        await state.save(await dump(port))
        await state.saveConfig(config)
      }
      const devnet = new Devnet(
        { port, saveMs: options.saveMs ?? second, log },
        { config, state, anvil, release },
      )
      devnet.#background = [devnet.#saveLoop(), devnet.#guard()]
      log.info('devnet.started', { port, anvil: anvil.pid })
      return devnet
    } catch (error) {
      await anvil?.kill()
      await release()
      throw error
    }
  }

  /** Process id of anvil, which changes when it is restarted. */
  get anvilPid(): number {
    return this.#anvil.pid
  }

  /** Saves now if there is a block that is not saved. */
  save(): Promise<void> {
    const run = this.#tasks.then(() => this.#save())
    this.#tasks = run.catch(() => undefined)
    return run
  }

  /** Saves, ends anvil, releases the directory. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return
    await this.save().catch((error) =>
      this.#log.warn('devnet.not-saved', { code: EnigmaError.from(error).code }),
    )
    this.#stop.abort()
    await this.#tasks
    await this.#anvil.kill()
    await Promise.all(this.#background)
    await this.#release()
  }

  async #save(): Promise<void> {
    const head = await headOf(this.#port)
    if (head.hash === this.#saved) return
    const bytes = await dump(this.#port)
    await this.#state.save(bytes)
    this.#saved = head.hash
  }

  async #saveLoop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const started = performance.now()
      await this.save().catch((error) =>
        this.#log.warn('devnet.not-saved', { code: EnigmaError.from(error).code }),
      )
      // A long history takes longer to write: never spend more than a tenth of the time on it.
      const pause = Math.max(this.#saveMs, 9 * (performance.now() - started))
      await systemClock.sleep(pause, signal).catch(() => undefined)
    }
  }

  /** Restarts anvil when it ends by itself. */
  async #guard(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#anvil.exited
      if (signal.aborted) return
      this.#log.warn('devnet.chain-ended', { pid: this.#anvil.pid })
      const restart = this.#tasks.then(async () => {
        this.#saved = ''
        this.#anvil = await launch(this.#state, this.#config, this.#port)
      })
      this.#tasks = restart.catch(() => undefined)
      try {
        await restart
        this.#log.info('devnet.restarted', { pid: this.#anvil.pid })
      } catch (error) {
        this.#log.error('devnet.restart-failed', { code: EnigmaError.from(error).code })
        await systemClock.sleep(second, signal).catch(() => undefined)
      }
    }
    await this.#anvil.kill()
  }
}

/** Starts anvil from the saved state and checks that what was saved is what it serves. */
async function launch(state: DevnetState, config: DevnetConfig, port: number): Promise<AnvilProcess> {
  const saved = await state.load()
  if (!saved && config.deployment)
    throw new EnigmaError(
      'STORAGE_CORRUPT',
      `the local network in ${state.directory} has lost its saved chain`,
    )
  const cache = join(state.directory, 'cache')
  await rm(cache, { recursive: true, force: true })
  const file = saved && (await writeLoadFile(state.directory, saved.json))
  const anvil = await spawnAnvil([
    ...['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(DEVNET_CHAIN_ID)],
    ...['--accounts', '0', '--gas-limit', String(config.gasLimit), '--order', 'fifo', '--silent'],
    ...['--prune-history', String(KEPT_STATES), '--cache-path', cache],
    ...(file ? ['--load-state', file] : []),
  ])
  try {
    await answering(port, anvil)
    if (saved) {
      const head = await headOf(port)
      const genesis = await ask(port, 'eth_getBlockByNumber', ['0x0', false], blockSchema)
      const code = config.deployment
        ? await ask(port, 'eth_getCode', [config.deployment.addresses.evidence, 'latest'], z.string())
        : '0x00'
      if (head.number !== saved.blockNumber || code === '0x')
        throw new EnigmaError('STORAGE_CORRUPT', 'the local chain did not come back as it was saved')
      if (config.deployment && genesis.hash !== config.deployment.genesisHash)
        throw new EnigmaError('STORAGE_CORRUPT', 'the saved chain is another one than the local network')
    }
    return anvil
  } catch (error) {
    await anvil.kill()
    throw error
  } finally {
    if (file) await rm(file, { force: true })
  }
}

async function answering(port: number, anvil: AnvilProcess): Promise<void> {
  let ended = false
  void anvil.exited.then(() => {
    ended = true
  })
  const until = performance.now() + START_TIMEOUT_MS
  while (performance.now() < until && !ended) {
    const id = await ask(port, 'eth_chainId', [], z.string()).catch(() => undefined)
    if (id !== undefined) return
    await systemClock.sleep(20)
  }
  throw new EnigmaError('LEDGER_UNREACHABLE', 'the local chain did not start')
}

/** The deployer is a public constant: it pays for seven transactions and has no power afterwards. */
async function deployDevnet(endpoint: string, parameters: DeployParameters): Promise<LedgerDeployment> {
  const key = hashText('enigma devnet deployer')
  const wallet = new Wallet(key)
  const port = Number(new URL(endpoint).port)
  const fund = (wei: bigint) =>
    ask(port, 'anvil_setBalance', [wallet.address, `0x${wei.toString(16)}`], z.unknown())
  await fund(10n * ETHER)
  const signer = {
    ...localSigner(fromHex(key)),
    address: wallet.address.toLowerCase() as Address,
    signDeployment: async (tx: Parameters<Parameters<typeof deployLedger>[1]['signDeployment']>[0]) =>
      (await wallet.signTransaction({ ...tx, type: 2 })) as Hex,
  }
  const deployment = await deployLedger(endpoint, signer, parameters, { firstNonce: 0 })
  await fund(0n)
  await ask(port, 'evm_mine', [], z.unknown())
  return deployment
}

/** A dump of one block: anvil writes it piece by piece, so it is taken again if a block came in between. */
async function dump(port: number): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt++) {
    const before = await headOf(port)
    const bytes = fromHex(await ask(port, 'anvil_dumpState', [], z.string()))
    const after = await headOf(port)
    if (before.hash !== after.hash && attempt < 20) continue
    const { blockNumber } = await parseState(bytes)
    if (blockNumber === after.number && before.hash === after.hash) return bytes
    throw new EnigmaError('INTERNAL', 'the local chain moves too fast to be saved')
  }
}

const blockSchema = z.object({ number: z.string().transform(Number), hash: z.string() })

function headOf(port: number): Promise<{ number: number; hash: string }> {
  return ask(port, 'eth_getBlockByNumber', ['latest', false], blockSchema)
}

async function ask<T>(port: number, method: string, params: unknown[], schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(30 * second),
  })
  return schema.parse(z.object({ result: z.unknown() }).parse(await response.json()).result)
}
