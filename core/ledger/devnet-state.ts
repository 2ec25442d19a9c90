import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import { EnigmaError } from '../base/errors.ts'

const unzip = promisify(gunzip)
const BLOCK_NUMBER_KEY = '"best_block_number":'
const address = z.templateLiteral(['0x', z.string().regex(/^[0-9a-f]{40}$/)])

const configSchema = z.object({
  version: z.literal(1),
  port: z.int(),
  /** Differs per devnet and makes their genesis blocks differ. */
  gasLimit: z.int(),
  deployment: z
    .object({
      chainId: z.int(),
      genesisHash: z.templateLiteral(['0x', z.string().regex(/^[0-9a-f]{64}$/)]),
      deployBlock: z.int(),
      addresses: z.object({
        dictionary: address,
        identities: address,
        predicates: address,
        references: address,
        registry: address,
        jobs: address,
        evidence: address,
      }),
    })
    .nullable(),
})
export type DevnetConfig = z.infer<typeof configSchema>

const quantity = z.union([z.int(), z.string()])
const stateSchema = z.looseObject({
  blocks: z.array(z.looseObject({ header: z.looseObject({ number: quantity, timestamp: quantity }) })),
})
type SavedBlock = z.infer<typeof stateSchema>['blocks'][number]

export interface SavedState {
  /** JSON as anvil's --load-state reads it. */
  json: Buffer
  blockNumber: number
}

/**
 * The files of one devnet: config.json, and two generations of the chain's state, each gzip with its checksum.
 * Every file is written beside, synced, and renamed, so a kill at any moment leaves a whole one.
 */
export class DevnetState {
  readonly directory: string
  readonly #state: string
  readonly #previous: string
  readonly #config: string

  constructor(directory: string) {
    this.directory = directory
    this.#state = join(directory, 'chain.gz')
    this.#previous = join(directory, 'chain.previous.gz')
    this.#config = join(directory, 'config.json')
  }

  async config(): Promise<DevnetConfig | undefined> {
    const text = await readFile(this.#config, 'utf8').catch(absent)
    if (text === undefined) return undefined
    try {
      return configSchema.parse(JSON.parse(text))
    } catch (cause) {
      throw this.#corrupt('its settings', cause)
    }
  }

  saveConfig(config: DevnetConfig): Promise<void> {
    return writeAtomically(this.#config, Buffer.from(`${JSON.stringify(config, null, 2)}\n`))
  }

  /** `state`: what anvil_dumpState returned, as bytes. */
  async save(state: Uint8Array): Promise<void> {
    await rename(this.#state, this.#previous).catch(absent)
    await writeAtomically(this.#state, state)
  }

  /** The newest readable generation; undefined if there never was one. Throws STORAGE_CORRUPT if none reads. */
  async load(): Promise<SavedState | undefined> {
    let seen = false
    let cause: unknown
    for (const path of [this.#state, this.#previous]) {
      const bytes = await readFile(path).catch(absent)
      if (bytes === undefined) continue
      seen = true
      try {
        return await parseState(bytes)
      } catch (error) {
        cause ??= error
      }
    }
    if (seen) throw this.#corrupt('its saved chain', cause)
    return undefined
  }

  #corrupt(what: string, cause: unknown): EnigmaError {
    return new EnigmaError('STORAGE_CORRUPT', `the local network in ${this.directory} cannot read ${what}`, {
      remedy: 'Restore the directory from a backup, or remove it to begin a new local network.',
      cause,
    })
  }
}

/** Decompresses (checksum!) and reads the block number out of anvil's state. */
export async function parseState(bytes: Uint8Array): Promise<SavedState> {
  const json = await unzip(bytes)
  // Found, not parsed: the history grows to many megabytes, and anvil parses it anyway.
  const at = json.indexOf(BLOCK_NUMBER_KEY)
  const match =
    at < 0
      ? null
      : /^"?(0x[0-9a-f]+|\d+)/.exec(json.toString('latin1', at + BLOCK_NUMBER_KEY.length, at + 40))
  const blockNumber = Number(match?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(blockNumber)) throw new Error('no block number')
  return { json, blockNumber }
}

async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  if (process.platform === 'win32') return
  const directory = await open(join(path, '..'), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/**
 * Makes this process the only manager of the directory for as long as it lives: a listening socket ends with
 * its process, however that ends. Returns the release.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 32)
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\enigma-devnet-${name}`
      : join(tmpdir(), `enigma-devnet-${name}.sock`)
  const listen = () =>
    new Promise<() => Promise<void>>((resolve, reject) => {
      const server = createServer((socket) => socket.destroy())
      server.once('error', reject)
      server.listen(path, () => {
        server.unref()
        resolve(() => new Promise((done) => server.close(() => done())))
      })
    })
  try {
    return await listen()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
  }
  const alive = await new Promise<boolean>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
  if (alive)
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `another process already runs the local network in ${directory}`,
      {
        remedy: 'Stop it first, or use another data directory.',
      },
    )
  await rm(path, { force: true })
  return listen()
}

/**
 * A file for anvil to load; removed by the caller. At every start anvil makes a genesis block of its own, which
 * its next dump then holds beside the real one, and either may win when that is loaded: only the oldest stays.
 */
export async function writeLoadFile(directory: string, json: Uint8Array): Promise<string> {
  const path = join(directory, 'load.json')
  const state = stateSchema.parse(JSON.parse(Buffer.from(json).toString()))
  const isGenesis = (block: SavedBlock) => Number(block.header.number) === 0
  const oldest = Math.min(...state.blocks.filter(isGenesis).map((b) => Number(b.header.timestamp)))
  const blocks = state.blocks.filter((b) => !isGenesis(b) || Number(b.header.timestamp) === oldest)
  await writeFile(path, JSON.stringify({ ...state, blocks }), { mode: 0o600 })
  return path
}
