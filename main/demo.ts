import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { silentLog } from '../core/base/log.ts'
import { type ComputeProtocol, decimal, EnigmaError, type Job, type Predicate } from '../core/ipc/index.ts'
import { Devnet } from './devnet.ts'
import { NodeClient } from './host/client.ts'
import { idOf } from './job-id.ts'
import { launchNode, SupervisedNode } from './process/supervised.ts'

export interface DemoOptions {
  /** People, each with a vault in a process of its own. */
  salaries: { owner: string; salary: string }[]
  /** Serving peers of the devnet. */
  nodes: number
  protocol?: ComputeProtocol
  /** Keeps everything there and does not delete it; by default a temporary directory. */
  dir?: string
  progress(text: string): void
  signal: AbortSignal
}

export interface DemoResult {
  result: string
  owners: number
  /** Nodes that computed. */
  nodes: number
  /** The request's id on the ledger. */
  job: string
  seconds: number
  /** With an audited protocol: what the verifier found. */
  audit?: { valid: boolean; mine?: boolean; reason?: string; bytes: number; seconds: number }
}

/** Vaults started at the same time: key derivation takes 64 MiB and a core each. */
const CONCURRENCY = 2

/** Rows of a CSV file with the header `owner,salary`. Throws IMPORT_INVALID, naming the line. */
export function readSalaries(text: string, limit?: number): DemoOptions['salaries'] {
  let rows: Record<string, string>[]
  try {
    rows = parse(text, { columns: true, trim: true, bom: true, skip_empty_lines: true })
  } catch (error) {
    throw new EnigmaError('IMPORT_INVALID', `not a CSV file: ${(error as Error).message}`)
  }
  const chosen = limit === undefined ? rows : rows.slice(0, limit)
  if (chosen.length < (limit ?? 2))
    throw new EnigmaError('IMPORT_INVALID', `the file has ${rows.length} people; ${limit ?? 2} are needed`)
  return chosen.map(({ owner, salary }, i) => {
    if (!owner || !decimal.safeParse(salary).success)
      throw new EnigmaError('IMPORT_INVALID', `line ${i + 2}: expected an owner and a decimal salary`, {
        remedy: 'The file needs the header owner,salary and one person a line.',
      })
    return { owner, salary: salary as string }
  })
}

/**
 * The mean salary of people none of whom shows theirs: devnet, a vault and process for each person, shares under
 * a rule (minimum cohort, the owner's approval, the mean only), a request by someone else, approvals, result.
 * Uses nothing but the contract. Leaves nothing behind, also when it fails or is cancelled.
 */
export async function demoAverage(options: DemoOptions): Promise<DemoResult> {
  const { salaries, progress, signal } = options
  const startedAt = performance.now()
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'enigma-demo-'))
  const devnet = new Devnet({ dataDir: join(dir, 'network'), nodes: options.nodes, log: silentLog })
  const people: Person[] = []
  const work = async (): Promise<DemoResult> => {
    progress(`Starting a chain and ${options.nodes} peers …`)
    const { network } = await devnet.start()
    const enter = async (name: string, index: number) => {
      const person = new Person(name, join(dir, `vault-${index}`), network)
      people.push(person)
      await person.open()
      return person
    }
    const requester = await enter('requester', 0)
    const { functions } = await requester.client.call('compute.functions', {})
    const mean = functions.find((f) => f.id === 'mean')
    if (mean === undefined) throw new EnigmaError('FUNCTION_NOT_ALLOWED', 'this node has no function mean')
    const rule: Predicate = {
      kind: 'and',
      of: [
        { kind: 'functions', functions: [mean.codeHash] },
        { kind: 'cohort', minimum: Math.max(2, salaries.length) },
        { kind: 'approval' },
      ],
    }
    let shared = 0
    const owners = await mapLimited(salaries, CONCURRENCY, async ({ owner, salary }, i) => {
      signal.throwIfAborted()
      const person = await enter(owner, i + 1)
      const ref = await person.share(salary, rule)
      progress(`${++shared} of ${salaries.length} salaries shared`)
      return { person, ref }
    })
    progress('Requesting the mean …')
    const { jobId } = await requester.client.call('compute.request', {
      function: 'mean',
      refs: owners.map(({ ref }) => ref),
      label: 'Average salary',
      protocol: options.protocol ?? 'honest-majority',
    })
    const job = idOf(await requester.finish(jobId))
    let approved = 0
    await mapLimited(owners, CONCURRENCY, async ({ person }) => {
      signal.throwIfAborted()
      await person.approve(job, signal)
      progress(`${++approved} of ${owners.length} approvals`)
    })
    progress(
      options.protocol === undefined || options.protocol === 'honest-majority'
        ? 'Computing …'
        : 'Preparing and computing …',
    )
    await requester.computed(job, signal)
    const result = await requester.client.call('compute.result', { id: job })
    let audit: DemoResult['audit']
    if (options.protocol === 'spdz-audited') {
      progress('Verifying the public transcript …')
      const { valid, mine, reason, bytes, seconds } = await requester.client.call('compute.audit', {
        id: job,
      })
      audit = {
        valid,
        ...(mine === undefined ? {} : { mine }),
        ...(reason === undefined ? {} : { reason }),
        bytes,
        seconds: Math.round(seconds * 100) / 100,
      }
    }
    return {
      result: result.values[0] ?? '',
      owners: salaries.length,
      nodes: result.nodes,
      job,
      ...(audit === undefined ? {} : { audit }),
      seconds: Math.round((performance.now() - startedAt) / 10) / 100,
    }
  }
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => reject(new EnigmaError('CANCELLED', 'cancelled'))
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail, { once: true })
  })
  const working = work()
  working.catch(() => {})
  try {
    return await Promise.race([working, aborted])
  } finally {
    progress('Cleaning up …')
    await Promise.all(people.map((person) => person.close()))
    await devnet.stop()
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A vault in a process of its own, and its local client, who says yes to what it caused. */
class Person {
  readonly name: string
  readonly #dir: string
  readonly #node: SupervisedNode
  #client: NodeClient | undefined

  constructor(name: string, dir: string, network: string) {
    this.name = name
    this.#dir = dir
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    this.#node = new SupervisedNode(launchNode, ['--data', dir, '--network', network], silentLog)
  }

  get client(): NodeClient {
    if (this.#client === undefined)
      throw new EnigmaError('NOT_RUNNING', `the node of ${this.name} does not run`)
    return this.#client
  }

  async open(): Promise<void> {
    const ready = this.#node.ready()
    this.#node.start()
    await ready.catch((error: unknown) => {
      throw EnigmaError.fromObject(error)
    })
    this.#client = await NodeClient.connect(this.#dir, { confirm: () => Promise.resolve(true) })
    await this.client.call('vault.create', { password: randomBytes(24).toString('base64url') })
    await this.client.call('wallet.faucet', {})
  }

  async share(salary: string, predicate: Predicate): Promise<string> {
    const { id } = await this.client.call('data.add', {
      title: 'Salary',
      value: { type: 'number', value: salary },
    })
    const { jobId } = await this.client.call('share.create', { recordId: id, predicate })
    return idOf(await this.finish(jobId))
  }

  async approve(id: string, signal: AbortSignal): Promise<void> {
    await this.#until(signal, async () => {
      const { approvals } = await this.client.call('approvals.list', {})
      return approvals.some((a) => a.id === id && a.state === 'waiting') || undefined
    })
    const { jobId } = await this.client.call('approvals.decide', { id, decision: 'approve' })
    await this.finish(jobId)
  }

  async computed(id: string, signal: AbortSignal): Promise<void> {
    await this.#until(signal, async () => {
      const { job } = await this.client.call('compute.get', { id })
      if (job.state === 'failed' || job.state === 'cancelled')
        throw job.error
          ? EnigmaError.fromObject(job.error)
          : new EnigmaError('MPC_ABORTED', `it ${job.state}`)
      return job.state === 'done' || undefined
    })
  }

  finish(jobId: string): Promise<Job> {
    return this.#until(undefined, async () => {
      const { job } = await this.client.call('jobs.get', { id: jobId })
      if (job.state === 'failed') throw EnigmaError.fromObject(job.error)
      if (job.state === 'cancelled') throw new EnigmaError('CANCELLED', `${job.title} was cancelled`)
      return job.state === 'done' ? job : undefined
    })
  }

  async close(): Promise<void> {
    this.#client?.close()
    await this.#node.stop()
  }

  /** Looks at each announced change, and twice a second. */
  async #until<T>(signal: AbortSignal | undefined, look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      signal?.throwIfAborted()
      const found = await look()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          off()
          resolve()
        }
        const timer = setTimeout(wake, 500)
        const off = this.client.subscribe(wake)
      })
    }
  }
}

async function mapLimited<T, R>(
  items: T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await map(items[i] as T, i)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
