import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/base/clock.ts'
import { silentLog } from '../../core/base/log.ts'
import { second } from '../../core/base/units.ts'
import { builtin } from '../../core/circuits/functions.ts'
import { EnigmaError, hasCode, type Input, type Job, type Predicate } from '../../core/ipc/index.ts'
import { Devnet } from '../../core/ledger/devnet.ts'
import type { NetworkConfig } from '../../core/node/types.ts'
import { materialFor } from '../../core/spdz/engine.ts'
import { openNodeStorage } from '../../core/storage/node-storage.ts'
import { NodeClient } from '../../main/host/client.ts'
import { networkFile, writeNetwork } from '../../main/host/network.ts'
import { type Launcher, launch, launchNode, SupervisedNode } from '../../main/process/supervised.ts'
import { checkConsumption, type MaterialState, materialState, recordClaims } from './claims.ts'

/** `spdz`: a job under SPDZ, in which a member of its committee dies. */
export const ACTIONS = ['share', 'job', 'spdz'] as const
type Action = (typeof ACTIONS)[number]

/** When a member dies: while material is made, or when the first member has claimed its material. */
const MOMENTS = ['preparing', 'computing'] as const
type Moment = (typeof MOMENTS)[number]

export interface ChaosOptions {
  runs: number
  seed: number
  peers?: number
  /** What happens in the runs, one of them in each; by default shares and jobs of the honest majority. */
  actions?: readonly Action[]
  onRun?(line: RunReport): void
}

export interface RunReport {
  run: number
  action: Action
  victim: string
  /** Milliseconds after the action began, or after the moment of a job under SPDZ. */
  delayMs: number
  moment?: Moment
  /** The attempt that gave the result, as its coordinator counts. */
  attempt?: number
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
const LATEST_KILL_MS = { share: 600, job: 2500, preparing: 300, computing: 100 } as const
/** How often the stores of material are looked at for the moment to strike. */
const LOOK_MS = 15

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

  nodeId = ''

  constructor(dir: string, network: string, serve: boolean, launcher: Launcher = launchNode) {
    this.dir = dir
    this.#hasVault = !serve
    const args = ['--data', dir, '--network', network, '--log', 'error']
    this.node = new SupervisedNode(launcher, serve ? [...args, '--serve'] : args, silentLog)
  }

  async start(): Promise<void> {
    const ready = this.node.ready()
    this.node.start()
    this.nodeId = (await ready).nodeId
  }

  kill(): void {
    if (this.node.pid !== undefined) process.kill(this.node.pid, 'SIGKILL')
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
    return this.until(async (client) => {
      const { job } = await client.call('jobs.get', { id: jobId })
      return job.state === 'running' || job.state === 'waiting' ? undefined : job
    })
  }

  /** What `look` finds, as soon as it finds something. */
  async until<T>(look: (client: NodeClient) => Promise<T | undefined>): Promise<T> {
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
 * peer, the owner's node, the requester's, or the chain, which comes back some blocks earlier; in jobs under SPDZ a
 * member of the committee. Rejects when an acknowledged share is lost or wrong, something half-shared is visible, a node
 * holds two shares of a value, a result is wrong, a job under SPDZ has none, an item of its material is consumed twice, or
 * anything hangs.
 */
export async function chaos(options: ChaosOptions): Promise<RunReport[]> {
  const actions = options.actions ?? (['share', 'job'] as const)
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
    (_, i) =>
      new Actor(join(dir, `peer-${i}`), file, true, actions.includes('spdz') ? launchSmall : launchNode),
  )
  const [owner, second_, requester] = ['owner', 'second', 'requester'].map(
    (name) => new Actor(join(dir, name), file, false),
  ) as [Actor, Actor, Actor]
  const actors = [...peers, owner, second_, requester]
  try {
    for (const actor of actors) await actor.start()
    for (const peer of peers) recordClaims(peer.dir)
    const other = await share(second_, '1000')
    if (other.ref === undefined) throw new Error(`the first share failed: ${other.job.error?.message}`)
    const acknowledged = new Map<string, string>()
    const reports: RunReport[] = []
    const report = (line: Omit<RunReport, 'seconds'>, startedAt: number) => {
      const whole = { ...line, seconds: Math.round((Date.now() - startedAt) / 100) / 10 }
      reports.push(whole)
      options.onRun?.(whole)
    }
    for (let run = 1; run <= options.runs; run++) {
      const startedAt = Date.now()
      const action = pick(actions)
      const value = String(Math.floor(next() * 1e6) / 100)
      // Both moments in turn; the first kills come at once, and surely into the job.
      const moment = MOMENTS[run % 2]!
      const latest = LATEST_KILL_MS[action === 'spdz' ? moment : action]
      const delayMs = action === 'spdz' && run <= 2 ? 0 : Math.floor(next() * latest)
      if (action === 'spdz') {
        const { job, ref } = await share(owner, value)
        if (ref === undefined) throw new Error(`run ${run}: the share failed: ${job.error?.message}`)
        acknowledged.set(ref, value)
        const struck = strike(peers, { moment, delayMs, choice: next() })
        const {
          value: found,
          reason,
          attempt = 0,
        } = await compute(requester, {
          function: 'median',
          refs: [ref, other.ref],
          protocol: 'spdz',
          n: pick([2, 3]),
        }).finally(() => void struck.ended())
        const hit = (await struck.ended()) ?? { victim: 'none' }
        if (Number(found) !== meanWith1000(value))
          throw new Error(`run ${run}: ${found ?? reason} instead of ${meanWith1000(value)}`)
        const dirs = peers.map((peer) => peer.dir)
        checkConsumption(dirs, MEDIAN_MATERIAL)
        report({ run, action, ...hit, delayMs, outcome: 'done', attempt }, startedAt)
        continue
      }
      const victim = pick(['peer', 'peer', 'owner', 'requester', 'chain'] as const)
      const target = victim === 'peer' ? pick(peers) : victim === 'owner' ? owner : requester
      const kill = systemClock.sleep(delayMs).then(() => {
        if (victim !== 'chain') target.kill()
        else if (chain.anvilPid !== undefined) process.kill(chain.anvilPid, 'SIGKILL')
      })
      const made = await share(owner, value)
      let outcome: RunReport['outcome'] = made.ref === undefined ? 'failed' : 'done'
      let reason = made.job.error?.message
      if (made.ref !== undefined) {
        acknowledged.set(made.ref, value)
        if (action === 'job') {
          const result = await compute(requester, { function: 'mean', refs: [made.ref, other.ref] })
          if (result.value !== undefined && Number(result.value) !== meanWith1000(value))
            throw new Error(`run ${run}: ${result.value} instead of ${meanWith1000(value)}`)
          if (result.value === undefined) {
            outcome = 'failed'
            reason = result.reason
          }
        }
      }
      await kill
      await checkShares(owner, acknowledged, made.ref, pick)
      await checkHolders(peers, [...acknowledged.keys()].slice(-3))
      const named = victim === 'peer' ? `peer-${peers.indexOf(target)}` : victim
      const why = reason === undefined ? {} : { reason }
      report({ run, action, victim: named, delayMs, outcome, ...why }, startedAt)
    }
    return reports
  } finally {
    await Promise.all(actors.map((actor) => actor.stop()))
    await chain.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Of a number with two decimal places and the other person's: their mean, and their median. */
function meanWith1000(value: string): number {
  return (Number(value) * 100 + 100_000) / 200
}

/** Records whose sharing was asked for again, because the answer died with the node: both may have been carried out. */
const askedAgain = new Set<string>()

/** Shares a number; `ref` only when the share was acknowledged. */
async function share(owner: Actor, value: string): Promise<{ job: Job; ref?: string }> {
  const { id } = await owner.with((c) =>
    c.call('data.add', { title: `v${value}`, value: { type: 'number', value } }),
  )
  let asked = 0
  const { jobId } = await owner.with((c) => {
    if (++asked > 1) askedAgain.add(id)
    return c.call('share.create', { recordId: id, predicate: RULE, n: 5, t: 2 })
  })
  const job = await owner.ended(jobId)
  const ref = job.state === 'done' ? job.result?.ref : undefined
  return { job, ...(ref === undefined ? {} : { ref }) }
}

async function compute(
  requester: Actor,
  input: Input<'compute.request'>,
): Promise<{ value?: string; reason?: string; attempt?: number }> {
  const { jobId } = await requester.with(async (c) => {
    // A chain that came back earlier may not know the newest reference yet.
    for (let tries = 0; ; tries++)
      try {
        return await c.call('compute.request', input)
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
  // The result may be there before the requester's own index has its confirmed block.
  const attempt = await requester.until(async (c) => {
    const { job } = await c.call('compute.get', { id })
    return job.state === 'done' ? job.attempt : undefined
  })
  return { value: values[0] as string, attempt }
}

/** Serving nodes whose preprocessing takes milliseconds. */
const launchSmall = launch(join(import.meta.dirname, 'small-node.ts'))
/** What a job of `compute` under SPDZ consumes: the median of two references with one value each. */
const MEDIAN_MATERIAL = materialFor(builtin('median').build({}, [1, 1]).circuit)

/**
 * Looks until a committee makes material, or has begun to consume it, and kills a random one of its members. `ended` is
 * told that the job is over, and tells whom it struck, if anybody, and when.
 */
function strike(
  peers: readonly Actor[],
  { moment, delayMs, choice }: { moment: Moment; delayMs: number; choice: number },
): { ended(): Promise<{ victim: string; moment: Moment } | undefined> } {
  const look = () => peers.map((peer) => materialState(peer.dir))
  const before = look()
  const claimed = (states: readonly MaterialState[]) =>
    states.flatMap(({ claims }, i) => claims.slice(before[i]?.claims.length)).at(0)
  let over = false
  const watch = async () => {
    for (; !over; await systemClock.sleep(LOOK_MS)) {
      const states = look()
      const claim = claimed(states)
      const grown = states.flatMap(({ epochs }, i) =>
        epochs.filter(({ id, items }) => items !== before[i]?.epochs.find((e) => e.id === id)?.items),
      )
      const epoch = claim === undefined ? grown.at(-1) : grown.find(({ id }) => id === claim.epoch)
      if (epoch === undefined || (moment === 'computing' && claim === undefined)) continue
      await systemClock.sleep(delayMs)
      if (over) return undefined
      const member = epoch.parties[Math.floor(choice * epoch.parties.length)]
      const index = peers.findIndex(({ nodeId }) => nodeId === member)
      peers[index]?.kill()
      return { victim: `peer-${index}`, moment: claimed(look()) ? 'computing' : 'preparing' } as const
    }
    return undefined
  }
  const struck = watch()
  return {
    ended() {
      over = true
      return struck
    },
  }
}

/** What was acknowledged opens to its value; what was not is not shown as shared. */
async function checkShares(
  owner: Actor,
  acknowledged: ReadonlyMap<string, string>,
  newest: string | undefined,
  pick: <T>(items: readonly T[]) => T,
): Promise<void> {
  const { shares } = await owner.with((c) => c.call('share.list', {}))
  const stranger = shares.find((s) => !acknowledged.has(s.ref) && !askedAgain.has(s.recordId))
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
async function checkHolders(peers: readonly Actor[], refs: readonly string[]): Promise<void> {
  const held = new Map<string, number[]>()
  for (const peer of peers) {
    const storage = openNodeStorage(join(peer.dir, 'node.db'), { exclusive: false })
    try {
      for (const ref of refs) {
        const found = await storage.records.get('share', ref as `0x${string}`)
        if (found?.record.kind === 'share') held.set(ref, [...(held.get(ref) ?? []), found.record.index])
      }
    } finally {
      storage.close()
    }
  }
  for (const [ref, indices] of held)
    if (new Set(indices).size < 3) throw new Error(`${ref} has ${indices.length} holders left`)
}
