/** One party of jiff-mpc, or its server, a process of its own; started by jiff.ts, speaks over process IPC. */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { bn254Scalar as field } from '../../core/field/fields.ts'

/** `dir` is where jiff-mpc is installed; `threshold` shares give a secret. */
export type Command =
  | { kind: 'serve'; dir: string }
  | {
      kind: 'join'
      dir: string
      port: number
      id: number
      parties: number
      threshold: number
      batch: number
    }
  | { kind: 'multiply'; rounds: number }
  | { kind: 'stop' }
export type Answer =
  | { kind: 'serving'; port: number }
  | { kind: 'joined' }
  | { kind: 'measured'; seconds: number[] }
  | { kind: 'failed'; message: string }

/** What is used of jiff-mpc 1.0.0, which has no types. Its big numbers are bignumber.js. */
interface Share {
  /** Settles when this party has its share. */
  readonly value: unknown
  smult_bgw(factor: Share): Share
}
interface Client {
  apply_extension(extension: unknown, options: object): void
  connect(): void
  share_array(
    values: readonly string[],
    lengths: Readonly<Record<number, number>>,
    threshold: number,
    receivers: number[],
    senders: number[],
  ): Promise<Record<number, Share[]>>
  open(share: Share, parties: number[]): Promise<{ toFixed(): string }>
}
interface Jiff {
  JIFFServer: new (
    server: ReturnType<typeof createServer>,
    options: object,
  ) => { apply_extension(extension: unknown): void }
  JIFFClient: new (url: string, computation: string, options: object) => Client
  JIFFServerBigNumber: unknown
  JIFFClientBigNumber: unknown
}

const OWNER = 1
/** Products that are opened and looked at. */
const CHECKED = 8

const answer = (a: Answer) => process.send?.(a)
const failed = (error: unknown) =>
  answer({ kind: 'failed', message: String((error as Error | undefined)?.stack ?? error) })
const load = (dir: string) => createRequire(join(dir, 'package.json'))('jiff-mpc') as Jiff

let client: Client
let everybody: number[] = []
let factors: { x: Share[]; y: Share[] }
/** Only at the owner. */
let clear: { x: bigint[]; y: bigint[] } | undefined

function serve(dir: string): void {
  const jiff = load(dir)
  const http = createServer()
  new jiff.JIFFServer(http, { logs: false }).apply_extension(jiff.JIFFServerBigNumber)
  http.listen(0, '127.0.0.1', () => answer({ kind: 'serving', port: (http.address() as AddressInfo).port }))
}

async function enter(command: Extract<Command, { kind: 'join' }>): Promise<void> {
  const { dir, port, id, parties, threshold, batch } = command
  const jiff = load(dir)
  everybody = Array.from({ length: parties }, (_, i) => i + 1)
  await new Promise<void>((resolve, reject) => {
    client = new jiff.JIFFClient(`http://127.0.0.1:${port}`, 'bench', {
      party_id: id,
      party_count: parties,
      autoConnect: false,
      // Opening takes a sharing of zero, which the server deals; multiplication takes nothing.
      crypto_provider: true,
      onConnect: () => resolve(),
      onError: (_: string, error: unknown) => reject(error),
    })
    // Its test of the modulus is trial division.
    client.apply_extension(jiff.JIFFClientBigNumber, { Zp: field.modulus.toString(), safemod: false })
    client.connect()
  })
  const random = () => field.toBigints(field.random(batch))
  clear = id === OWNER ? { x: random(), y: random() } : undefined
  const input = async (values: readonly bigint[] = []) => {
    const shares = await client.share_array(
      values.map(String),
      { [OWNER]: batch },
      threshold,
      [...everybody],
      [OWNER],
    )
    return shares[OWNER]!
  }
  factors = { x: await input(clear?.x), y: await input(clear?.y) }
  await there([...factors.x, ...factors.y])
  answer({ kind: 'joined' })
}

const there = (shares: readonly Share[]) => Promise.all(shares.map((share) => share.value))

/** x·y^rounds, each multiplication after the one before. */
async function multiply(rounds: number): Promise<void> {
  const { x, y } = factors
  const start = performance.now()
  let product = x
  for (let k = 0; k < rounds; k++) {
    product = product.map((share, i) => share.smult_bgw(y[i]!))
    await there(product)
  }
  const seconds = [(performance.now() - start) / 1000]
  const from = product.length - CHECKED
  const opened = await Promise.all(product.slice(from).map((share) => client.open(share, [...everybody])))
  // A figure for a wrong product is none.
  opened.forEach((value, i) => {
    if (clear === undefined) return
    let expected = clear.x[from + i]!
    for (let k = 0; k < rounds; k++) expected = field.scalar.mul(expected, clear.y[from + i]!)
    if (BigInt(value.toFixed()) !== expected) throw new Error('the product is wrong')
  })
  answer({ kind: 'measured', seconds })
}

process.on('message', (message) => {
  const command = message as Command
  const run = async () => {
    if (command.kind === 'serve') serve(command.dir)
    else if (command.kind === 'join') await enter(command)
    else if (command.kind === 'multiply') await multiply(command.rounds)
    else process.exit()
  }
  run().catch(failed)
})
process.on('disconnect', () => process.exit())
