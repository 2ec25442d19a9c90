import { secp256k1 } from '@noble/curves/secp256k1.js'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeAnswer } from '../../../core/audit/closing.ts'
import { concatBytes, toHex } from '../../../core/base/bytes.ts'
import { openingDigest } from '../../../core/commitments/openings.ts'
import { roundDigest } from '../../../core/commitments/rounds.ts'
import { bn254Scalar } from '../../../core/field/fields.ts'
import type { Predicate } from '../../../core/ipc/index.ts'
import { evidenceDigest } from '../../../core/ledger/evidence.ts'
import type { EvidenceKind, Hex } from '../../../core/ledger/types.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from '../../../core/node/compute/messages.ts'
import { pieceDigest } from '../../../core/node/compute/pieces.ts'
import type { DealtPieces, dealPieces } from '../../../core/node/compute/resharing.ts'
import { STEP } from '../../../core/preprocessing/channel.ts'
import { digestCommitments } from '../../../core/sharing/commitments.ts'
import { Libp2pTransport } from '../../../core/transport/libp2p.ts'
import type { NodeId } from '../../../core/transport/types.ts'
import { LocalSigner } from '../../../core/wallet/signer.ts'
import { meddled } from '../../support/meddled.ts'
import { type Person, type TestNetwork, until } from '../../system/network.ts'
import { startSpdzNetwork } from '../../system/spdz-network.ts'
import { rpc } from '../../unit/ledger/support.ts'

const HEADER = 16
const SIGNATURE = 65

/** What is signed of each payload: a cheater knows its own history. */
const signed = vi.hoisted(() => new Map<string, readonly [Uint8Array, number, Uint8Array, Uint8Array]>())
vi.mock(import('../../../core/commitments/rounds.ts'), async (original) => {
  const actual = await original()
  return {
    ...actual,
    roundDigest: (...args: Parameters<typeof roundDigest>) => {
      signed.set(Buffer.from(args[3]).toString('hex'), args)
      return actual.roundDigest(...args)
    },
  }
})

let network: TestNetwork
let alice: Person
let bob: Person
let analyst: Person
let rule: Predicate

beforeAll(async () => {
  ;({ network, alice, bob, analyst, rule } = await startSpdzNetwork(6, { sameThread: true }))
}, 120_000)

afterAll(() => network?.stop(), 60_000)
afterEach(() => {
  vi.restoreAllMocks()
  twice.active = false
})

/**
 * One node, the first member of a committee that leads it or does not, has its messages changed in the sessions whose name
 * ends so; null drops one. Returns who it is, once it has cheated.
 */
function tamper(
  suffix: string,
  change: (message: Uint8Array, to: NodeId, self: NodeId) => Uint8Array | null,
  leads = false,
): { node?: NodeId } {
  const cheater: { node?: NodeId } = {}
  const open = Libp2pTransport.prototype.openSession
  vi.spyOn(Libp2pTransport.prototype, 'openSession').mockImplementation(async function (
    this: Libp2pTransport,
    id,
    peers,
    options,
  ) {
    const session = await open.call(this, id, peers, options)
    const leader = id.split('/').at(-2)
    if (!id.endsWith(suffix) || (leader === this.self) !== leads) return session
    cheater.node ??= this.self
    if (cheater.node !== this.self) return session
    return meddled(session, {
      send: async (to, message) => {
        const changed = change(message, to, this.self)
        if (changed !== null) await session.send(to, changed)
      },
    })
  })
  return cheater
}

/** Changes each message of one step, towards everybody. */
function cheat(suffix: string, step: number, at: number): { node?: NodeId } {
  return tamper(suffix, (message) => {
    if (message[1] === step) message[at]! ^= 1
    return message
  })
}

type Change = (payload: Uint8Array, key: LocalSigner, run: Uint8Array) => void

const flip: Change = (payload) => {
  payload[16]! ^= 1
}
/** The same answer to the verifier's question, with another signature in it: nothing is wrong with either. */
const signAgain: Change = (payload, key, run) => {
  const { opening } = decodeAnswer(bn254Scalar, payload)!
  const digest = evidenceDigest(network.chain.deployment, openingDigest(run, opening))
  const options = { prehash: false, format: 'recovered', extraEntropy: true } as const
  const again = key.withPrivateKey((secret) => secp256k1.sign(digest, secret, options))
  payload.set([...again.slice(1), 27 + again[0]!], payload.length - SIGNATURE)
}

/** Signs another payload for one member, in the given round of the first session whose name ends so, or of each that it leads. */
function equivocate(suffix: string, round: number, change: Change, leads = false): { node?: NodeId } {
  const keys = new Map<string, LocalSigner>()
  const sign = LocalSigner.prototype.signDigest
  vi.spyOn(LocalSigner.prototype, 'signDigest').mockImplementation(function (this: LocalSigner, digest) {
    keys.set(this.address, this)
    return sign.call(this, digest)
  })
  let victim: NodeId | undefined
  let sent = 0
  const alter = (message: Uint8Array, to: NodeId, self: NodeId) => {
    if (leads && message[1] === STEP.hello) sent = 0
    if (message[1] !== STEP.round) return message
    victim ??= to
    if (to !== victim || sent++ !== round) return message
    const payload = message.slice(HEADER + SIGNATURE)
    const [run, number, previous] = signed.get(Buffer.from(payload).toString('hex'))!
    const key = keys.get(self)!
    change(payload, key, run)
    const digest = evidenceDigest(network.chain.deployment, roundDigest(run, number, previous, payload))
    const signature = sign.call(key, digest)
    return concatBytes(message.slice(0, HEADER), signature, payload)
  }
  return tamper(suffix, alter, leads)
}

/** Second dealings, by the digest of the commitments of the first. */
const second = vi.hoisted(() => new Map<string, { pieces: Uint8Array[]; other: DealtPieces }>())
vi.mock(import('../../../core/node/compute/resharing.ts'), async (original) => {
  const actual = await original()
  return {
    ...actual,
    dealPieces: async (...args: Parameters<typeof dealPieces>) => {
      const dealt = await actual.dealPieces(...args)
      if (twice.active)
        second.set(toHex(digestCommitments(dealt.commitments)), {
          pieces: dealt.values,
          other: await actual.dealPieces(...args),
        })
      return dealt
    },
  }
})
const twice = vi.hoisted(() => ({ active: false }))

/** One holder gives one member a piece of another dealing, each valid and signed; neither of them leads. */
function dealTwice(): { holder?: NodeId; member?: NodeId } {
  const told: { holder?: NodeId; member?: NodeId } = {}
  twice.active = true
  const keys = new Map<string, LocalSigner>()
  const sign = LocalSigner.prototype.signDigest
  vi.spyOn(LocalSigner.prototype, 'signDigest').mockImplementation(function (this: LocalSigner, digest) {
    keys.set(this.address, this)
    return sign.call(this, digest)
  })
  const request = Libp2pTransport.prototype.request
  vi.spyOn(Libp2pTransport.prototype, 'request').mockImplementation(function (
    this: Libp2pTransport,
    to,
    protocol,
    payload,
    options,
  ) {
    const send = (bytes: Uint8Array) => request.call(this, to, protocol, bytes, options)
    if (protocol !== PROTOCOLS.piece) return send(payload)
    const piece = decodeMessage('piece', payload)
    if (piece.attempt > 1 || [this.self, to].includes(piece.coordinator)) return send(payload)
    told.holder ??= this.self
    told.member ??= to
    if (told.holder !== this.self || told.member !== to) return send(payload)
    const { pieces, other } = second.get(toHex(digestCommitments(piece.commitments)))!
    const at = pieces.findIndex((values) => Buffer.compare(values, piece.values) === 0)
    const commitments = toHex(digestCommitments(other.commitments))
    return send(
      encodeMessage('piece', {
        ...piece,
        values: other.values[at]!,
        masks: other.masks[at]!,
        commitments: other.commitments,
        signature: sign.call(keys.get(this.self)!, pieceDigest(network.chain.deployment, piece, commitments)),
      }),
    )
  })
  return told
}

/** Verdicts on all nodes of the network in one job. */
async function verdicts(id: string): Promise<{ node: NodeId; kind: EvidenceKind }[]> {
  const ledger = network.ledger()
  const nodes = network.peers.map((peer) => peer.nodeId)
  const all = await Promise.all(nodes.map((node) => ledger.verdicts(id as Hex, node)))
  return all.flatMap((list, i) => list.map(({ kind }) => ({ node: nodes[i]!, kind })))
}

describe('a member that cheats (§5.1.2)', () => {
  it.each([
    ['in a proof of preprocessing', '/gear', STEP.proof, 4000, 'BAD_PROOF'],
    ['in what it had committed to', '/spdz', STEP.reveal, 20, 'BAD_OPENING'],
    // Told to the others only: that somebody lied is certain, who it was is not.
    ['in what it puts in for an owner', '/spdz', STEP.input, 16, undefined],
  ])('%s is replaced, and the result is right', async (_, suffix, step, at, reason) => {
    const refs = await Promise.all([alice.share('5230.50', rule), bob.share('4100', rule)])
    const cheater = cheat(suffix, step, at)
    const id = await analyst.request({ function: 'mean', refs, protocol: 'spdz', n: 3 })
    expect(await analyst.result(id)).toEqual(['4665.25'])
    const { job } = await analyst.call('compute.get', { id })
    expect(cheater.node).toBeDefined()
    expect(job.attempt).toBeGreaterThan(1)
    expect(job.committee).not.toContain(cheater.node)
    expect(job.excluded).toEqual(reason === undefined ? [] : [{ node: cheater.node, reason }])
  })
})

describe('a holder that gives two members pieces of different dealings', () => {
  it.each(['honest-majority', 'spdz', 'spdz-audited'] as const)(
    'costs an attempt, and no member is suspected (%s)',
    async (protocol) => {
      const refs = await Promise.all([alice.share('12', rule), bob.share('30.5', rule)])
      const told = dealTwice()
      const id = await analyst.request({ function: 'variance', refs, protocol, n: 3 })
      expect(await analyst.result(id)).toEqual(['171.125'])
      const { job } = await analyst.call('compute.get', { id })
      expect(told.member).toBeDefined()
      expect(job.attempt).toBeGreaterThan(1)
      expect(job.excluded).toEqual([])
    },
  )
})

describe('a member of an audited job', () => {
  it.each([
    ['its first round', '/spdz', 0, flip],
    ['a later round', '/spdz', 3, flip],
    ['its part of the result', '/audit', 0, flip],
    ['its answer to the verifier', '/audit', 1, signAgain],
  ] as const)(
    'that signs two payloads for %s is convicted on the ledger',
    async (_, suffix, round, change) => {
      const refs = await Promise.all([alice.share('12', rule), bob.share('30.5', rule)])
      const cheater = equivocate(suffix, round, change)
      const id = await analyst.request({ function: 'variance', refs, protocol: 'spdz-audited', n: 3 })
      expect(await analyst.result(id)).toEqual(['171.125'])
      const { job } = await analyst.call('compute.get', { id })
      expect(job.attempt).toBeGreaterThan(1)
      expect(job.committee).not.toContain(cheater.node)
      expect(job.excluded).toEqual([{ node: cheater.node, reason: 'EQUIVOCATION' }])
      expect(await verdicts(id)).toEqual([{ node: cheater.node, kind: 'equivocation' }])
      expect(await analyst.call('compute.audit', { id })).toMatchObject({ valid: true })
    },
  )

  it('that leads it and signs two payloads loses the lead', async () => {
    const refs = await Promise.all([alice.share('12', rule), bob.share('30.5', rule)])
    const cheater = equivocate('/spdz', 1, flip, true)
    const id = await analyst.request({ function: 'variance', refs, protocol: 'spdz-audited', n: 3 })
    expect(await analyst.result(id)).toEqual(['171.125'])
    const { job } = await analyst.call('compute.get', { id })
    expect(job.committee).not.toContain(cheater.node)
    expect(job.excluded).toEqual([{ node: cheater.node, reason: 'EQUIVOCATION' }])
    expect(await verdicts(id)).toEqual([{ node: cheater.node, kind: 'equivocation' }])
  })

  it('that falls silent is asked on the ledger, and convicted when it does not come back', async () => {
    const ledger = network.ledger()
    const results: { id: string; node: NodeId; index: number }[] = []
    for (const value of ['1', '2']) {
      const refs = await Promise.all([alice.share(value, rule), bob.share('3', rule)])
      let stopping: Promise<void> | undefined
      let sent = 0
      const silent = tamper('/spdz', (message, _, self) => {
        if (message[1] !== STEP.round || sent++ < 4) return message
        stopping ??= network.peers.find((peer) => peer.nodeId === self)!.stop()
        return null
      })
      const id = await analyst.request({ function: 'mean', refs, protocol: 'spdz-audited', n: 3 })
      await analyst.result(id)
      vi.restoreAllMocks()
      await stopping
      const node = silent.node!
      results.push({ id, node, index: network.peers.findIndex((peer) => peer.nodeId === node) })
      expect(await until(() => ledger.demandOf(id as Hex, node))).toMatchObject({ answered: false })
    }
    const [back, gone] = results as [(typeof results)[0], (typeof results)[0]]
    expect(back.node).not.toBe(gone.node)
    // What it missed while it was off it finds when it starts again.
    await network.addPeer(back.index)
    await until(async () => (await ledger.demandOf(back.id as Hex, back.node))?.answered || undefined)
    expect(await verdicts(gone.id)).toEqual([])
    await rpc(network.chain.endpoint, 'evm_increaseTime', [3601])
    await rpc(network.chain.endpoint, 'evm_mine')
    const convicted = await until(async () => {
      const all = await verdicts(gone.id)
      return all.length > 0 ? all : undefined
    })
    expect(convicted).toEqual([{ node: gone.node, kind: 'silence' }])
    expect(await verdicts(back.id)).toEqual([])
  })
})
