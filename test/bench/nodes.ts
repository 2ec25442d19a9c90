import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../../core/base/log.ts'
import { type Input, sendFile, UPLOAD_BYTES, wholeRecord } from '../../core/ipc/index.ts'
import { Devnet } from '../../main/devnet.ts'
import { NodeClient } from '../../main/host/client.ts'
import { launchNode, SupervisedNode } from '../../main/process/supervised.ts'
import type { Figure } from './children.ts'

const PEERS = 4
const PEOPLE = 8
const VALUES = 20_000
const ROWS = 100_000
/** The owners take some 0.1 to 0.3 seconds to share each. */
const REFERENCES = Number(process.env.BENCH_REFERENCES ?? 120)
/** Shares that one owner deals at the same time. */
const AT_ONCE = 10
const PASSWORD = 'bench horse battery staple 42'
/** How long nodes that have just met are watched. */
const SETTLE_MS = 6000

/**
 * How long the event loops of node processes are held at most (`loop.*`, processor time), beside what the bench of SPDZ says of
 * parties: eight nodes that join at once, an import and reading it, two owners who share a long series each and a mean of these,
 * and a mean of many numbers that were shared one by one.
 */
export async function* nodesBench(only = ''): AsyncGenerator<Figure> {
  const wants = (name: string) => name.startsWith(only) || only.startsWith(name)
  if (!['loop.join', 'loop.import', 'loop.share', 'loop.references'].some(wants)) return
  const dir = mkdtempSync(join(tmpdir(), 'enigma-bench-'))
  const turns = join(dir, 'turns')
  mkdirSync(turns)
  const before = process.env.NODE_OPTIONS
  process.env.NODE_OPTIONS = `${before ?? ''} --import=${new URL('./turns-preload.ts', import.meta.url)}`
  process.env.BENCH_TURNS = turns
  const devnet = new Devnet({ dataDir: join(dir, 'network'), nodes: PEERS, log: silentLog })
  const nodes: SupervisedNode[] = []
  const times = new Map<string, [number, number]>()
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = Date.now()
    const result = await work()
    times.set(name, [from, Date.now()])
    return result
  }
  try {
    const { network } = await devnet.start()
    const people = await timed('join', async () => {
      const clients = await Promise.all(
        Array.from({ length: PEOPLE }, (_, i) => openNode(join(dir, `p${i}`), network, nodes)),
      )
      await sleep(SETTLE_MS)
      return clients
    })
    const [ada, bob, cy] = people as [NodeClient, NodeClient, NodeClient]
    if (wants('loop.import')) await timed('import', () => importAndRead(ada))
    if (wants('loop.share'))
      await timed('share', async () => {
        const refs = [await share(ada), await share(bob)]
        await mean(cy, refs, '49.5')
      })
    if (wants('loop.references'))
      await timed('references', async () => {
        const half = Array.from({ length: REFERENCES / 2 }, (_, i) => i)
        const refs = await Promise.all([shareNumbers(ada, half), shareNumbers(bob, half)])
        await mean(cy, refs.flat(), String((REFERENCES / 2 - 1) / 2))
      })
  } finally {
    for (const node of nodes) await node.stop().catch(() => undefined)
    await devnet.stop().catch(() => undefined)
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
    delete process.env.BENCH_TURNS
    for (const [name, [from, to]] of times)
      yield { name: `loop.${name}.ms`, value: longest(turns, from, to), unit: 'ms' }
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

function longest(dir: string, from: number, to: number): number {
  const files = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'))
  const turns = files.flatMap((text) =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number)),
  )
  const during = turns.flatMap(([at = 0, ms = 0]) => (at >= from && at <= to ? [ms] : []))
  return Math.round(Math.max(0, ...during) * 10) / 10
}

async function openNode(dir: string, network: string, nodes: SupervisedNode[]): Promise<NodeClient> {
  mkdirSync(dir, { mode: 0o700 })
  const node = new SupervisedNode(launchNode, ['--data', dir, '--network', network], silentLog)
  nodes.push(node)
  const ready = node.ready()
  node.start()
  await ready
  const client = await NodeClient.connect(dir, { confirm: async () => true })
  await client.call('vault.create', { password: PASSWORD })
  await client.call('wallet.faucet', {})
  return client
}

async function upload(client: NodeClient, lines: string[]): Promise<Input<'data.previewImport'>> {
  const content = Buffer.from(lines.join('\n'))
  const pieces = function* () {
    for (let from = 0; from < content.length; from += UPLOAD_BYTES)
      yield content.subarray(from, from + UPLOAD_BYTES).toString('base64')
  }
  const name = await sendFile((method, input) => client.call(method, input), pieces())
  return { format: 'csv', fileName: 'bench.csv', upload: name }
}

async function importAndRead(client: NodeClient): Promise<void> {
  const rows = Array.from(
    { length: ROWS },
    (_, i) => `2026-01-${(i % 19) + 10},person ${i},${i}.5,${i % 50},yes`,
  )
  const source = await upload(client, ['day,who,amount,count,ok', ...rows])
  await client.call('data.previewImport', source)
  const { id } = await client.call('data.import', { ...source, title: 'bench' })
  await client.call('data.list', { query: 'person 77' })
  const { value } = await wholeRecord((method, input) => client.call(method, input), { id })
  if (value.type !== 'table' || value.rows.length !== ROWS) throw new Error('the table is not whole')
}

async function share(client: NodeClient): Promise<string> {
  const lines = ['v', ...Array.from({ length: VALUES }, (_, i) => String(i % 100))]
  const { id } = await client.call('data.import', { ...(await upload(client, lines)), title: 'values' })
  return shareRecord(client, { recordId: id, column: 'v' })
}

async function shareNumbers(client: NodeClient, numbers: readonly number[]): Promise<string[]> {
  const refs: string[] = []
  for (let from = 0; from < numbers.length; from += AT_ONCE)
    refs.push(
      ...(await Promise.all(
        numbers.slice(from, from + AT_ONCE).map(async (number) => {
          const value = { type: 'number', value: String(number) } as const
          const { id } = await client.call('data.add', { title: `number ${number}`, value })
          return shareRecord(client, { recordId: id })
        }),
      )),
    )
  return refs
}

async function shareRecord(client: NodeClient, what: { recordId: string; column?: string }): Promise<string> {
  const { functions } = await client.call('compute.functions', {})
  const { jobId } = await client.call('share.create', {
    ...what,
    predicate: { kind: 'functions', functions: functions.map((f) => f.codeHash) },
  })
  return (await finished(client, jobId)).ref as string
}

async function mean(client: NodeClient, refs: string[], expected: string): Promise<void> {
  const { jobId } = await client.call('compute.request', {
    function: 'mean',
    refs,
    protocol: 'honest-majority',
  })
  const id = (await finished(client, jobId)).job as string
  for (;;) {
    const { job } = await client.call('compute.get', { id })
    if (job.state === 'failed' || job.state === 'cancelled') throw new Error(`the mean ${job.state}`)
    if (job.state === 'done') break
    await sleep(100)
  }
  const { values } = await client.call('compute.result', { id })
  if (values[0] !== expected) throw new Error(`the mean is wrong: ${values[0]}`)
}

async function finished(client: NodeClient, jobId: string): Promise<Record<string, string>> {
  for (;;) {
    const { job } = await client.call('jobs.get', { id: jobId })
    if (job.state === 'failed') throw new Error(job.error?.message)
    if (job.state === 'done') return job.result ?? {}
    await sleep(50)
  }
}
