import * as z from 'zod'
import { toHex } from '../base/bytes.ts'
import { encodeCanonical as encode } from '../base/cbor.ts'
import { withTimeout } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { minute, second } from '../base/units.ts'
import { decodeCanonical, hashBytes } from '../dht/cbor.ts'
import { authorizationSchema, receiptSchema } from '../dht/schemas.ts'
import type { Placement, RepairShare, ShareRecord } from '../dht/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { Hex } from '../ledger/types.ts'
import { decodeCommitments, freeCommitments } from '../sharing/commitments.ts'
import { decodeShare, encodeShare } from '../sharing/encoding.ts'
import { recoverShare, splitForRecovery, sumForRecovery } from '../sharing/recovery.ts'
import type { VerifiableShare } from '../sharing/types.ts'
import { freeShare } from '../sharing/vss.ts'
import type { NodeId } from '../transport/types.ts'
import { heldShare } from './compute/holder.ts'
import type { NodeContext } from './context.ts'

/*
 * Rebuilding a lost share (core/sharing/recovery.ts) among nodes that distrust each other: the responsible holder
 * asks the replacement to expect the share and t + 1 helpers to contribute; helpers talk to each other directly
 * and send only sums. A helper takes part only if it, too, finds the lost holder gone and the replacement is a
 * registered node that holds no other share of the value.
 */
const BEGIN = 'repair/begin'
const HELP = 'repair/help'
const PIECE = 'repair/piece'
const SUM = 'repair/sum'
const ALIVE = 'repair/alive'

const REPAIR_TIMEOUT_MS = 2 * minute
const ALIVE_TIMEOUT_MS = 5 * second

const hash = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>
const nodeId = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<NodeId>
const index = z.int().min(1).max(255)
const placement = z.strictObject({ index, holder: nodeId })
const helpers = z.array(placement).min(2).max(64)

const helpSchema = z.strictObject({ id: hash, key: hash, target: index, helpers, replacement: nodeId })
const beginSchema = z.strictObject({
  id: hash,
  key: hash,
  target: index,
  helpers,
  owner: nodeId,
  n: index,
  t: index,
  length: z.int().min(1),
  commitments: z.custom<Uint8Array>((v) => v instanceof Uint8Array),
  authorization: authorizationSchema,
  placements: z.array(placement).max(255),
})
const partSchema = z.strictObject({ id: hash, share: z.custom<Uint8Array>((v) => v instanceof Uint8Array) })

/** Parts that arrive before or after somebody waits for them, by exchange and sender. */
class Mailbox {
  readonly #parts = new Map<string, Map<NodeId, Uint8Array>>()
  readonly #waiting = new Map<string, () => void>()

  put(id: string, from: NodeId, part: Uint8Array): void {
    if (this.#parts.size > 256) throw new EnigmaError('NOT_RUNNING', 'too many repairs at once')
    const parts = this.#parts.get(id) ?? new Map<NodeId, Uint8Array>()
    if (!parts.has(from)) parts.set(from, part)
    this.#parts.set(id, parts)
    this.#waiting.get(id)?.()
  }

  async take(id: string, from: readonly NodeId[]): Promise<Uint8Array[]> {
    const complete = () => from.every((node) => this.#parts.get(id)?.has(node))
    try {
      await withTimeout(
        new Promise<void>((resolve) => {
          const check = () => complete() && resolve()
          this.#waiting.set(id, check)
          check()
        }),
        REPAIR_TIMEOUT_MS,
        'a helper',
      )
      return from.map((node) => this.#parts.get(id)?.get(node) as Uint8Array)
    } finally {
      this.#waiting.delete(id)
      this.#parts.delete(id)
    }
  }
}

function toShare(record: ShareRecord): VerifiableShare {
  return { index: record.index, values: field.fromBytes(record.values), masks: field.fromBytes(record.masks) }
}

/** Serves the protocol and returns what the maintenance of the DHT calls. */
export function serveRepair(getContext: () => NodeContext): { repairShare: RepairShare; serve(): void } {
  const pieces = new Mailbox()
  const sums = new Mailbox()
  const ask = (to: NodeId, protocol: string, payload: Uint8Array, timeoutMs = REPAIR_TIMEOUT_MS) => {
    const { transport, localRequest } = getContext()
    return to === transport.self
      ? localRequest(protocol, payload)
      : transport.request(to, protocol, payload, { timeoutMs })
  }

  const isGone = async (node: NodeId): Promise<boolean> => {
    if (node === getContext().transport.self) return false
    return ask(node, ALIVE, new Uint8Array(), ALIVE_TIMEOUT_MS).then(
      () => false,
      () => true,
    )
  }

  const help = async (from: NodeId, payload: Uint8Array): Promise<Uint8Array> => {
    const context = getContext()
    const self = context.transport.self
    const { id, key, target, helpers: among, replacement } = decodeCanonical(payload, helpSchema)
    const refuse = (why: string) => new EnigmaError('PERMISSION_DENIED', `repair refused: ${why}`)
    const record = (await heldShare(context, key))?.record
    const summary = context.records.summary('share', key)
    if (record === undefined || summary === undefined) throw refuse('no share of this value here')
    const holders = summary.placements
    if (!holders.some((p) => p.holder === from)) throw refuse('the sender holds no share of this value')
    if (holders.some((p) => p.holder === replacement)) throw refuse('the replacement holds a share already')
    const candidates = await context.registry.candidates()
    if (!candidates.some((c) => c.id === replacement)) throw refuse('the replacement is not registered')
    if (among.length !== record.t + 1 || !among.some((p) => p.holder === self && p.index === record.index))
      throw refuse('not the helpers that are needed')
    if (among.some((p) => !holders.some((h) => h.holder === p.holder && h.index === p.index)))
      throw refuse('a helper holds no share of this value')
    const lost = holders.find((p) => p.index === target)
    if (lost !== undefined && !(await isGone(lost.holder))) throw refuse('the holder answers')
    const reference = await context.ledger.reference(key)
    if (reference?.state !== 'active') throw refuse('the ledger has no live reference')

    const recovery = { helpers: among.map((p) => p.index), target }
    const share = toShare(record)
    const split = splitForRecovery(share, record.t, recovery)
    freeShare(share)
    await Promise.all(
      among.map(({ holder }, k) =>
        ask(holder, PIECE, encode({ id, share: encodeShare(split[k] as VerifiableShare) })),
      ),
    )
    split.forEach(freeShare)
    const received = await pieces.take(
      id,
      among.map((p) => p.holder),
    )
    const parts = received.map((bytes) => decodeShare(bytes, { index: record.index, length: record.length }))
    const sum = sumForRecovery(record.index, parts, recovery)
    parts.forEach(freeShare)
    await ask(replacement, SUM, encode({ id, share: encodeShare(sum) }))
    freeShare(sum)
    return encode({})
  }

  const begin = async (payload: Uint8Array): Promise<Uint8Array> => {
    const context = getContext()
    const m = decodeCanonical(payload, beginSchema)
    const reference = await context.ledger.reference(m.key)
    if (
      reference?.state !== 'active' ||
      reference.commitmentsDigest !== hashBytes(m.commitments) ||
      reference.owner !== m.owner ||
      reference.n !== m.n ||
      reference.t !== m.t ||
      reference.length !== m.length ||
      context.records.summary('share', m.key)?.state === 'active'
    )
      throw new EnigmaError(
        'PERMISSION_DENIED',
        'repair refused: not what the ledger says, or a share is here already',
      )
    const received = await sums.take(
      m.id,
      m.helpers.map((p) => p.holder),
    )
    const parts = received.map((bytes, k) =>
      decodeShare(bytes, { index: m.helpers[k]?.index as number, length: m.length }),
    )
    const commitments = await decodeCommitments(m.commitments, { t: m.t, length: m.length })
    try {
      const share = await recoverShare(
        parts,
        { helpers: m.helpers.map((p) => p.index), target: m.target },
        commitments,
      )
      const record: ShareRecord = {
        kind: 'share',
        key: m.key,
        index: m.target,
        owner: m.owner,
        n: m.n,
        t: m.t,
        length: m.length,
        values: field.toBytes(share.values),
        masks: field.toBytes(share.masks),
        commitments: m.commitments,
      }
      freeShare(share)
      const receipt = await context.dht.holder.acceptRepaired(record, m.authorization, m.placements)
      return encode(receipt)
    } finally {
      parts.forEach(freeShare)
      freeCommitments(commitments)
    }
  }

  return {
    serve() {
      const context = getContext()
      context.serve(ALIVE, async () => new Uint8Array())
      context.serve(HELP, help)
      context.serve(BEGIN, (_from, payload) => begin(payload))
      for (const [protocol, box] of [
        [PIECE, pieces],
        [SUM, sums],
      ] as const)
        context.serve(protocol, async (from, payload) => {
          const { id, share } = decodeCanonical(payload, partSchema)
          box.put(id, from, share)
          return new Uint8Array()
        })
    },

    async repairShare({ record, missingIndex, helpers: live, replacement }) {
      const context = getContext()
      const held = await heldShare(context, record.key as Hex)
      if (held === undefined) throw new EnigmaError('NOT_FOUND', `no share of ${record.key} here`)
      const own = held.record
      const among: Placement[] = live.filter((p) => p.index !== missingIndex).slice(0, own.t + 1)
      if (among.length < own.t + 1)
        throw new EnigmaError('SHARES_TOO_FEW', `${among.length} of ${own.t + 1} helpers are there`)
      const id = toHex(randomBytes(32))
      const common = { id, key: record.key, target: missingIndex, helpers: among }
      const begun = ask(
        replacement,
        BEGIN,
        encode({
          ...common,
          owner: own.owner,
          n: own.n,
          t: own.t,
          length: own.length,
          commitments: own.commitments,
          authorization: held.authorization,
          placements: record.placements.filter((p) => p.index !== missingIndex),
        }),
      )
      const helped = Promise.all(
        among.map(({ holder }) => ask(holder, HELP, encode({ ...common, replacement }))),
      )
      const [receipt] = await Promise.all([begun, helped])
      return decodeCanonical(receipt, receiptSchema)
    },
  }
}
