import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/base/clock.ts'
import { silentLog } from '../../core/base/log.ts'
import { second } from '../../core/base/units.ts'
import { EnigmaError, hasCode, type Job, type Predicate } from '../../core/ipc/index.ts'
import { Devnet } from '../../core/ledger/devnet.ts'
import type { NetworkConfig } from '../../core/node/types.ts'
import { openNodeStorage } from '../../core/storage/node-storage.ts'
import { NodeClient } from '../../main/host/client.ts'
import { networkFile, writeNetwork } from '../../main/host/network.ts'
import { launchNode, SupervisedNode } from '../../main/process/supervised.ts'

export interface ChaosOptions {
  runs: number
  seed: number
  peers?: number
  onRun?(line: RunReport): void
}

export interface RunReport {
  run: number
  action: 'share' | 'job'
  victim: string
  /** Milliseconds after the action began. */
  delayMs: number
  outcome: 'done' | 'failed'
  /** Why it ended without a result. */
  reason?: string
  seconds: number
}

const PASSWORD = 'chaos horse battery staple 42'
const RULE: Predicate = { kind: 'cohort', minimum: 2 }
/** Longer than every timeout of the protocols and the supervisors' pauses together: past it something hangs. */
const PATIENCE_MS = 240 * second
/** About what the action takes, so that most kills fall into it. */
const LATEST_KILL_MS = { share: 600, job: 2500 } as const

/** A small generator, so that a run can be repeated by its seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A node process that is started again when it is killed, and the vault in it. */
class Actor {
  readonly dir: string
  readonly node: SupervisedNode
  readonly #hasVault: boolean
  #client: NodeClient | undefined
  #created = false

  constructor(dir: string, network: string, serve: boolean) {
    this.dir = dir
    this.#hasVault = !serve
    const args = ['--data', dir, '--network', network, '--log', 'error']
    this.node = new SupervisedNode(launchNode, serve ? [...args, '--serve'] : args, silentLog)
  }

  async start(): Promise<void> {
    const ready = this.node.ready()
    this.node.start()
    await ready
  }

  /** Runs a call; when the process was killed meanwhile, connects to its successor, unlocks, and tries again. */
  async with<T>(call: (client: NodeClient) => Promise<T>): Promise<T> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      try {
        return await call(await this.#connected())
      } catch (error) {
        const lost = hasCode(
          error,
          'HOST_GONE',
          'NOT_RUNNING',
          'VAULT_LOCKED',
          'LEDGER_UNREACHABLE',
          'TIMEOUT',
        )
        if (!lost || Date.now() > until) throw error
        if (!hasCode(error, 'LEDGER_UNREACHABLE', 'TIMEOUT')) this.close()
        await systemClock.sleep(200)
      }
    }
  }

  /** The job, once it has ended. */
  ended(jobId: string): Promise<Job> {
    return this.#until(async (client) => {
      const { job } = await client.call('jobs.get', { id: jobId })
      return job.state === 'running' || job.state === 'waiting' ? undefined : job
    })
  }

  async #until<T>(look: (client: NodeClient) => Promise<T | undefined>): Promise<T> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const found = await this.with(look)
      if (found !== undefined) return found
      if (Date.now() > until) throw new Error('it hangs')
      await systemClock.sleep(100)
    }
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  async stop(): Promise<void> {
    this.close()
    await this.node.stop()
  }

  async #connected(): Promise<NodeClient> {
    if (this.#client !== undefined) return this.#client
    const client = await NodeClient.connect(this.dir, { confirm: async () => true })
    this.#client = client
    if (!this.#hasVault) return client
    const { state } = await client.call('vault.status', {})
    if (state === 'missing' && !this.#created) await client.call('vault.create', { password: PASSWORD })
    else if (state === 'locked') await client.call('vault.unlock', { password: PASSWORD })
    this.#created = true
    return client
  }
}

/**
 * Shares and jobs on real processes, in each of which one random process dies by kill -9 at a random moment: a
 * peer, the owner's node, the requester's, or the chain, which comes back some blocks earlier. Rejects when an
 * acknowledged share is lost or wrong, something half-shared is visible, a node holds two shares of a value, a
 * result is wrong, or anything hangs.
 */
export async function chaos(options: ChaosOptions): Promise<RunReport[]> {
  const dir = mkdtempSync(join(tmpdir(), 'enigma-chaos-'))
  const next = random(options.seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T
  const chain = await Devnet.start({ directory: join(dir, 'chain'), log: silentLog })
  const file = networkFile(dir)
  const network: NetworkConfig = {
    kind: 'devnet',
    rpc: [chain.endpoint],
    deployment: chain.deployment,
    bootstrap: [],
    confirmations: 1,
  }
  writeNetwork(file, network)
  const peers = Array.from(
    { length: options.peers ?? 6 },
    (_, i) => new Actor(join(dir, `peer-${i}`), file, true),
  )
  const [owner, second_, requester] = ['owner', 'second', 'requester'].map(
    (name) => new Actor(join(dir, name), file, false),
  ) as [Actor, Actor, Actor]
  const actors = [...peers, owner, second_, requester]
  try {
    for (const actor of actors) await actor.start()
    const other = await share(second_, '1000')
    if (other.ref === undefined) throw new Error(`the first share failed: ${other.job.error?.message}`)
    const acknowledged = new Map<string, string>()
    const reports: RunReport[] = []
    for (let run = 1; run <= options.runs; run++) {
      const startedAt = Date.now()
      const action = pick(['share', 'job'] as const)
      const value = String(Math.floor(next() * 1e6) / 100)
      const victim = pick(['peer', 'peer', 'owner', 'requester', 'chain'] as const)
      const target = victim === 'peer' ? pick(peers) : victim === 'owner' ? owner : requester
      const delayMs = Math.floor(next() * LATEST_KILL_MS[action])
      const kill = systemClock.sleep(delayMs).then(() => {
        const pid = victim === 'chain' ? chain.anvilPid : target.node.pid
        if (pid !== undefined) process.kill(pid, 'SIGKILL')
      })
      const made = await share(owner, value)
      let outcome: RunReport['outcome'] = made.ref === undefined ? 'failed' : 'done'
      let reason = made.job.error?.message
      if (made.ref !== undefined) {
        acknowledged.set(made.ref, value)
        if (action === 'job') {
          const result = await mean(requester, [made.ref, other.ref])
          const right = String((Number(value) * 100 + 100_000) / 200)
          if (result.value !== undefined && Number(result.value) !== Number(right))
            throw new Error(`run ${run}: ${result.value} instead of ${right}`)
          if (result.value === undefined) {
            outcome = 'failed'
            reason = result.reason
          }
        }
      }
      await kill
      await checkShares(owner, acknowledged, made.ref, pick)
      checkHolders(peers, [...acknowledged.keys()].slice(-3))
      const report: RunReport = {
        run,
        action,
        victim: victim === 'peer' ? `peer-${peers.indexOf(target)}` : victim,
        delayMs,
        outcome,
        ...(reason === undefined ? {} : { reason }),
        seconds: Math.round((Date.now() - startedAt) / 100) / 10,
      }
      reports.push(report)
      options.onRun?.(report)
    }
    return reports
  } finally {
    await Promise.all(actors.map((actor) => actor.stop()))
    await chain.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Shares a number; `ref` only when the share was acknowledged. */
async function share(owner: Actor, value: string): Promise<{ job: Job; ref?: string }> {
  const { id } = await owner.with((c) =>
    c.call('data.add', { title: `v${value}`, value: { type: 'number', value } }),
  )
  const { jobId } = await owner.with((c) =>
    c.call('share.create', { recordId: id, predicate: RULE, n: 5, t: 2 }),
  )
  const job = await owner.ended(jobId)
  const ref = job.state === 'done' ? job.result?.ref : undefined
  return { job, ...(ref === undefined ? {} : { ref }) }
}

async function mean(requester: Actor, refs: string[]): Promise<{ value?: string; reason?: string }> {
  const { jobId } = await requester.with(async (c) => {
    // A chain that came back earlier may not know the newest reference yet.
    for (let tries = 0; ; tries++)
      try {
        return await c.call('compute.request', { function: 'mean', refs })
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND') || tries > 100) throw error
        await systemClock.sleep(200)
      }
  })
  const asked = await requester.ended(jobId)
  if (asked.state !== 'done') return { reason: asked.error?.message ?? asked.state }
  const id = asked.result?.job as string
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const { jobs } = await requester.with((c) => c.call('jobs.list', {}))
    const follow = jobs.find((j) => j.kind === 'result' && j.startedAt >= asked.startedAt)
    if (follow?.state === 'done') break
    if (follow?.state === 'failed') return { reason: follow.error?.message ?? 'failed' }
    if (Date.now() > until) throw new Error(`computation ${id} hangs`)
    await systemClock.sleep(200)
  }
  const { values } = await requester.with((c) => c.call('compute.result', { id }))
  return { value: values[0] as string }
}

/** What was acknowledged opens to its value; what was not is not shown as shared. */
async function checkShares(
  owner: Actor,
  acknowledged: ReadonlyMap<string, string>,
  newest: string | undefined,
  pick: <T>(items: readonly T[]) => T,
): Promise<void> {
  const { shares } = await owner.with((c) => c.call('share.list', {}))
  const stranger = shares.find((s) => !acknowledged.has(s.ref))
  if (stranger !== undefined) throw new Error(`${stranger.ref} is shown as shared, but was not acknowledged`)
  const lost = [...acknowledged.keys()].find((ref) => !shares.some((s) => s.ref === ref))
  if (lost !== undefined) throw new Error(`${lost} was acknowledged and is not shown`)
  const all = [...acknowledged.keys()]
  for (const ref of new Set([newest, all.length === 0 ? undefined : pick(all)])) {
    if (ref === undefined) continue
    const values = await reveal(owner, ref)
    if (Number(values[0]) !== Number(acknowledged.get(ref)))
      throw new Error(`${ref} opens to ${values[0]} instead of ${acknowledged.get(ref)}`)
  }
}

/** Declassifies, again while holders or the chain are still coming back. */
async function reveal(owner: Actor, ref: string): Promise<string[]> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    let reason: string
    try {
      return await owner.with(async (c) => {
        const { jobId } = await c.call('declassify.start', { ref })
        for (;;) {
          const { job } = await c.call('jobs.get', { id: jobId })
          if (job.state === 'failed') throw EnigmaError.fromObject(job.error)
          if (job.state === 'done') return (await c.call('declassify.result', { jobId })).values
          await systemClock.sleep(50)
        }
      })
    } catch (error) {
      reason = EnigmaError.from(error).message
    }
    if (Date.now() > until) throw new Error(`${ref} is lost: ${reason}`)
    await systemClock.sleep(500)
  }
}

/** No node holds more than one share of a value, and no index is held twice among those that were written. */
function checkHolders(peers: readonly Actor[], refs: readonly string[]): void {
  const held = new Map<string, number[]>()
  for (const peer of peers) {
    const storage = openNodeStorage(join(peer.dir, 'node.db'), { exclusive: false })
    try {
      for (const ref of refs) {
        const found = storage.records.get('share', ref as `0x${string}`)
        if (found?.record.kind === 'share') held.set(ref, [...(held.get(ref) ?? []), found.record.index])
      }
    } finally {
      storage.close()
    }
  }
  for (const [ref, indices] of held)
    if (new Set(indices).size < 3) throw new Error(`${ref} has ${indices.length} holders left`)
}
