import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { randomBytes } from '../../base/random.ts'
import { turn } from '../../base/turns.ts'
import { parseFixed } from '../../circuits/fixed.ts'
import { functionByHash } from '../../circuits/functions.ts'
import type { OwnerSigner, PreparedStore, ShareRecord } from '../../dht/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { AccessGrant, Predicate as FormPredicate, Identity } from '../../ipc/index.ts'
import type { Hex } from '../../ledger/types.ts'
import { predicateId } from '../../predicates/codec.ts'
import { encodeCommitments, freeCommitments, sumOfConstants } from '../../sharing/commitments.ts'
import { inSlices } from '../../sharing/pace.ts'
import { deal, freeShare } from '../../sharing/vss.ts'
import { account, confirmed, type Handlers, logActivity, type NodeContext } from '../context.ts'
import type { JobHandle } from '../jobs.ts'
import { conditions } from '../predicate-form.ts'
import { allShares, changeShare, shareEntry } from '../share-entry.ts'
import { usesLeft } from './compute.ts'
import { describeIdentity, ensurePseudonym } from './identity.ts'
import { publish, resolvePredicate, ruleOf, rulesOf } from './predicate.ts'

const MAX_HOLDERS = 5
/** Cells read between two turns of the event loop. */
const CELL_SLICE = 4096
const NO_PREDICATE: Hex = `0x${'00'.repeat(32)}`

interface ShareState {
  recordId: string
  column?: string
  identity?: Hex
  encoding: Hex
  label: string
  n: number
  t: number
  /** Names the sharing: a_x = H(addr_P ‖ x_ref). A crash before the holders have it starts with the same. */
  xRef: Hex
  length?: number
  c0?: Hex
  prepared?: Pick<PreparedStore, 'kind' | 'key' | 'content' | 'placements'>
}

/** Receipts that make a share safe: at most one holder may be missing, and repair recruits another. */
export function quorumOf(n: number, t: number): number {
  return Math.min(n, Math.max(t + 2, n - 1))
}

/** The main account as the owner of records at the holders. */
export function ownerSigner(context: NodeContext): OwnerSigner {
  const me = account(context)
  return { owner: me.address, signer: me.address, sign: async (digest) => me.signDigest(digest) }
}

async function parseCells(cells: readonly string[]): Promise<bigint[]> {
  const numbers: bigint[] = []
  await inSlices(cells.length, CELL_SLICE, {}, (from, to) => {
    for (const cell of cells.slice(from, to)) numbers.push(parseFixed(cell))
  })
  return numbers
}

/** Alg. 4 Share: verifiable shares to holders, then the reference on the ledger, then visible. */
async function share(context: NodeContext, job: JobHandle<ShareState>): Promise<Record<string, string>> {
  const { ledger, vault, dht, clock, events } = context
  const me = account(context)
  const signer = ownerSigner(context)
  const state = job.state

  job.update('predicate', 0.02)
  const identity = state.identity ?? (await ensurePseudonym(context))
  const predicate = await publish(context, state.label, fromHex(state.encoding))
  const ref = ledger.referenceId(identity, state.xRef)

  if (job.state.prepared === undefined) {
    job.update('split', 0.1, { identity })
    const cells = await vault.numericColumn(state.recordId, state.column)
    const numbers = await parseCells(cells)
    await turn()
    const secrets = field.fromBigints(numbers)
    const dealing = await deal(
      secrets,
      { n: state.n, t: state.t },
      {
        signal: job.signal,
        onProgress: (done, total) => job.update('split', 0.1 + (0.3 * done) / total),
      },
    )
    secrets.free()
    await turn()
    const commitments = await encodeCommitments(dealing.commitments)
    await turn()
    const c0 = toHex(sumOfConstants(dealing.commitments))
    freeCommitments(dealing.commitments)
    const records: ShareRecord[] = []
    for (const s of dealing.shares) {
      await turn()
      records.push({
        ...{ kind: 'share', key: ref, index: s.index, owner: me.address },
        ...{ n: state.n, t: state.t, length: cells.length, commitments },
        values: field.toBytes(s.values),
        masks: field.toBytes(s.masks),
      })
      freeShare(s)
    }
    job.update('send', 0.4)
    const prepared = await dht.client.prepareShares(records, signer, {
      quorum: quorumOf(state.n, state.t),
      signal: job.signal,
      onProgress: (done, total) => job.update('send', 0.4 + (0.3 * done) / total),
    })
    const { kind, key, content, placements } = prepared
    job.update('ledger', 0.75, { prepared: { kind, key, content, placements }, c0, length: cells.length })
  }

  const { prepared, c0, length } = job.state as Required<Pick<ShareState, 'prepared' | 'c0' | 'length'>>
  job.commit()
  try {
    await ledger.createReference(me, {
      identity,
      xRef: state.xRef,
      kind: 'share',
      length,
      n: state.n,
      t: state.t,
      computePredicate: predicate,
      readPredicate: NO_PREDICATE,
      commitmentsDigest: prepared.content,
      c0,
    })
  } catch (error) {
    // What the ledger refuses for good must not linger with the holders.
    if (hasCode(error, 'LEDGER_REVERTED', 'PERMISSION_DENIED', 'PREDICATE_INVALID'))
      await dht.client.abort(prepared, signer)
    throw error
  }
  job.update('commit', 0.9)
  await dht.client.commit(prepared, signer)
  await vault.putShare(
    state.recordId,
    shareEntry({
      ref,
      column: state.column,
      identity,
      predicateId: predicate,
      n: state.n,
      t: state.t,
      length,
      holders: prepared.placements.map((p) => ({ index: p.index, nodeId: p.holder })),
      createdAt: clock.now(),
      revoked: false,
    }),
  )
  await logActivity(context, 'share.stored', {
    ref,
    record: state.recordId,
    holders: prepared.placements.length,
  })
  events.emit({ type: 'sharing' })
  events.emit({ type: 'data' })
  return { ref }
}

/** Withdraws the right first, then has the holders erase their shares. */
async function revoke(context: NodeContext, job: JobHandle<{ ref: Hex }>): Promise<Record<string, string>> {
  const { ledger, dht, events } = context
  const { ref } = job.state
  job.commit()
  job.update('ledger', 0.2)
  await ledger.revoke(account(context), ref)
  job.update('erase', 0.7)
  const holders = (await allShares(context)).find((s) => s.ref === ref)?.holders.map((h) => h.nodeId as Hex)
  const erased = await dht.client.delete('share', ref, ownerSigner(context), holders ?? [])
  await changeShare(context, ref, { revoked: true })
  await logActivity(context, 'share.revoked', { ref, erased })
  events.emit({ type: 'sharing' })
  events.emit({ type: 'data' })
  return { ref, erased: String(erased) }
}

/** The parts of a rule that the owner must see before agreeing to it. */
function ruleFacts(form: FormPredicate): Record<string, string> {
  const all = conditions(form)
  const named = (kind: FormPredicate['kind']) => all.filter((c) => c.kind === kind)
  const accounts = all.flatMap((c) => (c.kind === 'keys' ? c.accounts : []))
  const functions = all.flatMap((c) => (c.kind === 'functions' ? c.functions : []))
  return {
    who: accounts.length > 0 ? accounts.join(', ') : named('role').length > 0 ? 'members' : '*',
    functions: functions.map((hash) => functionByHash(hash)?.id ?? hash).join(', ') || '*',
    minimumOwners: named('cohort')
      .map((c) => (c.kind === 'cohort' ? String(c.minimum) : ''))
      .join(', '),
    eachApproved: String(named('approval').length > 0),
  }
}

export function shareHandlers(context: NodeContext): Handlers {
  const { jobs, vault, ledger, index } = context

  jobs.register<ShareState>('share', (job) => share(context, job))
  jobs.register<{ ref: Hex }>('revoke', (job) => revoke(context, job))

  const parameters = async (n: number | undefined, t: number | undefined) => {
    const available = (await context.registry.candidates()).length
    const holders = n ?? Math.min(MAX_HOLDERS, available)
    const threshold = t ?? Math.floor((holders - 1) / 2)
    if (threshold < 1 || threshold >= holders)
      throw new EnigmaError('SHARING_PARAMETERS', `t: ${threshold} of ${holders} holders protects nothing`, {
        remedy: 'Choose 1 ≤ t < n; half the holders is a good threshold.',
      })
    if (available < holders)
      throw new EnigmaError(
        'HOLDERS_TOO_FEW',
        `n: the network has ${available} serving nodes, not ${holders}`,
        {
          remedy: 'Choose fewer holders, or wait for more nodes.',
        },
      )
    return { n: holders, t: threshold, available }
  }

  /** How many jobs have used each of these references, and when the last was requested. */
  const computations = async (refs: ReadonlySet<string>) => {
    const used = new Map<string, { count: number; lastAt: number }>()
    for (const job of [...index.jobs.values()]) {
      await turn()
      if (job.state === 'requested') continue
      for (const ref of job.refs) {
        if (!refs.has(ref)) continue
        const { count = 0, lastAt = 0 } = used.get(ref) ?? {}
        used.set(ref, { count: count + 1, lastAt: Math.max(lastAt, job.at) })
      }
    }
    return used
  }

  return {
    'share.plan': async ({ recordId, column, n, t }) => {
      const { shape } = await vault.summary(recordId)
      const columns = (shape.columns ?? []).filter((c) => c.type === 'number').map((c) => c.name)
      const chosen = column ?? (columns.length > 0 ? columns[0] : undefined)
      const cells = await vault.numericColumn(recordId, chosen)
      const planned = await parameters(n, t)
      const ranked = await context.dht.client.rank(toHex(randomBytes(32)))
      return {
        length: cells.length,
        columns,
        holders: ranked.slice(0, planned.n),
        n: planned.n,
        t: planned.t,
        feeWei: '0',
      }
    },
    'share.create': async (input, call) => {
      const record = await vault.summary(input.recordId)
      const cells = await vault.numericColumn(input.recordId, input.column)
      await parseCells(cells)
      const { n, t } = await parameters(input.n, input.t)
      const { encoding } = await resolvePredicate(context, input)
      if (input.identity !== undefined) {
        const identity = await ledger.identity(input.identity as Hex)
        if (!identity?.members.some((m) => m.account === account(context).address))
          throw new EnigmaError('PERMISSION_DENIED', `identity: you are no member of ${input.identity}`)
      }
      const form = input.predicate ?? ruleOf(context, predicateId(encoding))
      await confirmed(call, {
        kind: 'share',
        method: 'share.create',
        facts: {
          title: record.title,
          length: String(cells.length),
          holders: String(n),
          t: String(t),
          ...(form === undefined ? {} : ruleFacts(form)),
        },
      })
      const jobId = jobs.start<ShareState>('share', record.title, {
        recordId: input.recordId,
        ...(input.column === undefined ? {} : { column: input.column }),
        ...(input.identity === undefined ? {} : { identity: input.identity as Hex }),
        encoding: toHex(encoding),
        label: record.title,
        n,
        t,
        xRef: toHex(randomBytes(32)),
      })
      return { jobId }
    },
    'share.list': async () => ({ shares: await allShares(context) }),
    'access.list': async () => {
      const shares = await allShares(context)
      const now = context.clock.now()
      const rules = rulesOf(context)
      const used = await computations(new Set(shares.map((s) => s.ref)))
      const records = await ledger
        .references(
          shares.map((s) => s.ref as Hex),
          'latest',
        )
        .catch(() => [])
      const identities = new Map<string, Identity>()
      const grants: AccessGrant[] = []
      for (const [i, s] of shares.entries()) {
        await turn()
        const rule = rules(s.predicateId)
        if (rule === undefined) continue
        const all = conditions(rule)
        const ends = all.flatMap((c) => (c.kind === 'expiry' ? [c.until] : []))
        const expiresAt = ends.length === 0 ? undefined : Math.min(...ends)
        const left = usesLeft(records[i], rules)
        const { count = 0, lastAt } = used.get(s.ref) ?? {}
        const identity = identities.get(s.identity) ?? (await describeIdentity(context, s.identity as Hex))
        identities.set(s.identity, identity)
        grants.push({
          ref: s.ref,
          recordId: s.recordId,
          title: s.title,
          identity,
          predicateId: s.predicateId,
          predicate: rule,
          state:
            s.state === 'revoked'
              ? 'revoked'
              : expiresAt !== undefined && expiresAt <= now
                ? 'expired'
                : left === 0
                  ? 'used-up'
                  : 'active',
          accounts: all.flatMap((c) => (c.kind === 'keys' ? c.accounts : [])),
          functions: all.flatMap((c) => (c.kind === 'functions' ? c.functions : [])),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          ...(left === undefined ? {} : { usesLeft: left }),
          ...(lastAt === undefined ? {} : { lastUsedAt: lastAt }),
          computations: count,
        })
      }
      return { grants }
    },
    'access.revoke': async ({ ref }, call) => {
      const known = (await allShares(context)).find((s) => s.ref === ref)
      const reference = await ledger.reference(ref as Hex)
      if (reference === undefined || reference.owner !== account(context).address)
        throw new EnigmaError('NOT_FOUND', `ref: ${ref} is not shared by you`)
      await confirmed(call, {
        kind: 'revoke',
        method: 'access.revoke',
        facts: { ref, ...(known === undefined ? {} : { title: known.title }) },
      })
      return { jobId: jobs.start<{ ref: Hex }>('revoke', known?.title ?? ref, { ref: ref as Hex }) }
    },
  }
}
