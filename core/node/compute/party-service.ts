import type { MessagePort } from 'node:worker_threads'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { transcriptDigest } from '../../audit/transcript.ts'
import type { Anchor, AuditVerdict, RoundView, Transcript } from '../../audit/types.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError, type ErrorObject } from '../../base/errors.ts'
import type { BgvParameters } from '../../bgv/parameters.ts'
import type { BuiltProgram } from '../../circuits/types.ts'
import type { ShareRecord } from '../../dht/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import type { Hex, LedgerDeployment } from '../../ledger/types.ts'
import type { MaterialKind } from '../../preprocessing/types.ts'
import { joinCommittee } from '../../shamir-mpc/party.ts'
import { isLinear, runLinearProgram, runProgram } from '../../shamir-mpc/program.ts'
import { RelayedSession } from '../../transport/relay.ts'
import { orAbort } from '../../transport/requests.ts'
import type { NodeId, RequestOptions, Session } from '../../transport/types.ts'
import { sealTo } from '../../wallet/ecies.ts'
import { Preprocessing } from '../preprocessing.ts'
import type { JobFacts } from './attempt.ts'
import type { PlainFacts } from './audit-service.ts'
import { commitInThreads } from './audit-threads.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'
import { pieceDigest, requireSignedPiece, type Signed, sealAad } from './pieces.ts'
import { buildJob } from './program.ts'
import { unpackReferences } from './references.ts'
import { dealPieces, InputCollector } from './resharing.ts'
import { unpackSources } from './sources.ts'
import { runSpdz } from './spdz.ts'

export type Phase = 'preparing' | 'inputs' | 'computing'

/** What the computations of a node ask of the node, which keeps the network, the ledger and the key. */
export interface PartyHost {
  /** Opens a session among this node and `peers`, and lends it over the port (core/transport/relay.ts). Codes of `Transport`. */
  openSession(id: string, peers: readonly NodeId[], port: MessagePort): Promise<void>
  /** The node's signature of 32 bytes: r ‖ s ‖ v. */
  sign(digest: Uint8Array): Promise<Uint8Array>
  /** `AuditedRunOptions.ledger`. */
  post(run: Uint8Array, digest: Uint8Array): Promise<Anchor>
  confirm(run: Uint8Array, digest: Uint8Array, anchor: Anchor): Promise<Uint8Array>
  /** What the ledger says about the job of a transcript. */
  facts(
    jobId: Hex,
    transcript: Pick<Transcript, 'jobId' | 'nonce' | 'anchor'>,
    committee: readonly NodeId[],
  ): Promise<PlainFacts>
  /** An audited attempt is about to run; `nonce` names the run beside the job. */
  began(id: string, nonce: Hex): Promise<void>
  /** A round of it, for the node to keep before the next is signed. */
  round(id: string, round: RoundView): Promise<void>
  progress(id: string, phase: Phase, done: number, total: number): Promise<void>
  resumed(id: string, from: number | 'inputs'): Promise<void>
}

export interface PartyOptions {
  readonly self: NodeId
  /** Of the node: the material is there. */
  readonly dataDir: string
  readonly bgv: BgvParameters
  readonly deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>
}

/** One attempt at a job, as its plan and the ledger say. */
export interface AttemptOrder {
  /** Names its sessions. */
  readonly id: string
  readonly plan: Pick<Message<'plan'>, 'jobId' | 'attempt' | 'committee' | 'sources'>
  /** The references as `packReferences` makes them. */
  readonly facts: Pick<JobFacts, 'job' | 'params'> & { readonly references: Uint8Array }
}

export interface ComputeOrder {
  readonly id: string
  /** What the members have agreed on. */
  readonly context: Uint8Array
  readonly roundTimeoutMs: number
}

export interface Computed {
  /** This member's part of the result, sealed to the requester. */
  readonly sealed: Uint8Array
  readonly sealedDigest: Hex
  /** Of an audited job: encoded, and its digest. */
  readonly transcript?: { readonly encoded: Uint8Array; readonly digest: Hex }
}

/** An audited run that ended badly, and whom its transcript convicts. */
export interface Failed {
  readonly failure: ErrorObject
  readonly verdict?: AuditVerdict & { readonly valid: false }
}

/** The inputs of an attempt are there. */
export interface Inputs {
  /** Whether the members can compute without each other. */
  readonly alone: boolean
  /** What the holders have signed, in the order of their names. */
  readonly signed: readonly Signed[]
}

/** A message with pieces, by its number in the thread. */
export interface Received extends Pick<Message<'piece'>, 'jobId' | 'attempt' | 'coordinator'> {
  readonly number: number
}

export interface DealtInput {
  readonly record: Pick<ShareRecord, 'index' | 'values' | 'masks' | 'commitments'>
  readonly helpers: readonly number[]
  /** Whether this holder passes on the owner's commitments. */
  readonly first: boolean
}

/** A holder's contribution to an attempt. */
export interface DealOrder {
  readonly names: Pick<Message<'piece'>, 'jobId' | 'attempt' | 'coordinator' | 'refs'>
  /** What was given, by its number. */
  readonly given: number
  readonly members: number
  readonly threshold: number
}

export interface Material {
  /** Unclaimed items of each kind over all epochs. */
  readonly stock: Record<MaterialKind, number>
  /** Multiplications of the stock whose commitments for an audit are made. */
  readonly committed: number
}

interface Attempt {
  readonly order: AttemptOrder
  readonly collector: InputCollector
  readonly built: BuiltProgram
  readonly signal: AbortSignal
  inputs: readonly FieldVector[]
}

/** There from the order on: pieces that come while an attempt is opened wait, and its end ends that. */
interface Opening {
  readonly opened: Promise<Attempt>
  readonly abort: AbortController
}

/**
 * Everything that a node computes with shares: the pieces that it deals and receives, preprocessing, the programs. Runs in a
 * thread of its own (party-thread.ts), so that no computation holds the event loop of the node.
 */
export class PartyService {
  readonly #host: PartyHost
  readonly #options: PartyOptions
  readonly #preprocessing: Preprocessing
  readonly #attempts = new Map<string, Opening>()
  /** Pieces received that no attempt has taken yet. */
  readonly #received = new Map<number, Message<'piece'>>()
  /** Inputs that this node will deal. */
  readonly #given = new Map<number, DealtInput[]>()
  #number = 0

  constructor(host: PartyHost, options: PartyOptions) {
    this.#host = host
    this.#options = options
    const transport = {
      self: options.self,
      openSession: (id: string, peers: readonly NodeId[], o?: RequestOptions) =>
        this.#openSession(id, peers, o),
    }
    this.#preprocessing = new Preprocessing({ transport, dataDir: options.dataDir }, options.bgv)
  }

  async stop(): Promise<void> {
    for (const { abort } of this.#attempts.values()) abort.abort()
    await this.#preprocessing.stop()
  }

  async material(): Promise<Material> {
    return { stock: this.#preprocessing.stock(), committed: this.#preprocessing.committed() }
  }

  async shortCommittees(): Promise<readonly (readonly NodeId[])[]> {
    return this.#preprocessing.shortCommittees()
  }

  /** See `Preprocessing`. */
  async workAhead(id: string, parties: readonly NodeId[]): Promise<boolean> {
    return this.#preprocessing.workAhead({ id, parties })
  }

  /** Commits to one row of the stock; see `Preprocessing`. */
  async commitAhead(): Promise<boolean> {
    return this.#preprocessing.commitAhead(commitInThreads)
  }

  /** Takes some of what `deal` will need: more of what has the number, or the first of what gets the number that comes back. */
  async give(inputs: readonly DealtInput[], number = this.#number++): Promise<number> {
    const given = this.#given.get(number) ?? []
    this.#given.set(number, given)
    given.push(...inputs)
    return number
  }

  /** For each member of an attempt, the message with its pieces. */
  async deal({ names, given, members, threshold }: DealOrder): Promise<Uint8Array[]> {
    const inputs = this.#given.get(given) ?? []
    this.#given.delete(given)
    const { values, masks, commitments, digest } = await dealPieces(inputs, members, threshold)
    const signature = await this.#host.sign(pieceDigest(this.#options.deployment, names, digest))
    const originals = inputs.map(({ record, first }) => (first ? record.commitments : new Uint8Array()))
    return values.map((value, i) =>
      encodeMessage('piece', {
        ...names,
        ...{ values: value, masks: masks[i] as Uint8Array, commitments, originals, signature },
      }),
    )
  }

  /** Whether the program of a job is linear. Throws UNSUPPORTED, CIRCUIT_INPUT. */
  async linear(facts: AttemptOrder['facts']): Promise<boolean> {
    return isLinear(buildJob({ ...facts, references: unpackReferences(facts.references) }).circuit)
  }

  /** Begins to collect the inputs of an attempt; `close` must follow. Throws UNSUPPORTED, CIRCUIT_INPUT. */
  async open(order: AttemptOrder): Promise<void> {
    const abort = new AbortController()
    const opened = this.#open(order, abort.signal)
    this.#attempts.set(order.id, { opened, abort })
    await opened
  }

  async #open(order: AttemptOrder, signal: AbortSignal): Promise<Attempt> {
    const { plan, facts } = order
    const references = unpackReferences(facts.references)
    const sources = await unpackSources(plan.sources, references)
    const collector = new InputCollector({
      ...{ references, sources },
      party: plan.committee.indexOf(this.#options.self) + 1,
      n: plan.committee.length,
      threshold: facts.job.threshold,
    })
    return { order, collector, built: buildJob({ ...facts, references }), signal, inputs: [] }
  }

  /** Reads a message with a holder's pieces, for `add` or `drop` under the number that comes back. Throws RECORD_INVALID. */
  async receive(payload: Uint8Array): Promise<Received> {
    const piece = decodeMessage('piece', payload)
    const { jobId, attempt, coordinator } = piece
    const number = this.#number++
    this.#received.set(number, piece)
    return { number, jobId, attempt, coordinator }
  }

  /** Forgets what was received or given under a number. */
  async drop(number: number): Promise<void> {
    this.#received.delete(number)
    this.#given.delete(number)
  }

  /** Gives an attempt what a holder has sent. Throws SHARE_INVALID, PERMISSION_DENIED, NOT_RUNNING. */
  async add(id: string, from: NodeId, number: number): Promise<void> {
    const piece = this.#received.get(number)
    this.#received.delete(number)
    if (piece === undefined) throw new EnigmaError('NOT_FOUND', 'no such piece')
    const digest = requireSignedPiece(this.#options.deployment, from, piece)
    const { collector } = await this.#attempt(id)
    await collector.add(from, piece, digest)
  }

  /** Waits for the pieces of all holders and checks them. Codes: those of `InputCollector.complete`. */
  async complete(id: string): Promise<Inputs> {
    const attempt = await this.#attempt(id)
    const { order, collector, built, signal } = attempt
    attempt.inputs = await collector.complete(signal)
    return {
      alone: order.facts.job.protocol === 'honest-majority' && isLinear(built.circuit),
      signed: collector.signed(),
    }
  }

  /** Runs the program; `Failed` only of audited jobs. Codes: those of the protocols. */
  async compute(order: ComputeOrder): Promise<Computed | Failed> {
    const attempt = await this.#attempt(order.id)
    const { plan, facts } = attempt.order
    const told: Promise<void>[] = []
    const progress = (phase: Phase, done: number, total: number) => {
      const telling = this.#host.progress(order.id, phase, done, total)
      telling.catch(() => undefined)
      told[0] = telling
    }
    const ran =
      facts.job.protocol === 'honest-majority'
        ? { output: await this.#honestMajority(attempt, order, progress) }
        : await this.#spdz(attempt, order, progress)
    // None comes after the answer.
    await told[0]
    if ('failure' in ran) return ran
    const { output, transcript } = ran
    const sealed = sealTo(
      fromHex(facts.job.resultKey, 33),
      field.toBytes(output),
      sealAad(plan.jobId, plan.attempt, plan.committee.indexOf(this.#options.self)),
    )
    output.free()
    return {
      sealed,
      sealedDigest: toHex(keccak_256(sealed)),
      ...(transcript && {
        transcript: { encoded: transcript, digest: toHex(transcriptDigest(transcript)) },
      }),
    }
  }

  /** What is under way of an attempt ends with CANCELLED. */
  async cancel(id: string): Promise<void> {
    this.#attempts.get(id)?.abort.abort()
  }

  /** Forgets an attempt. Repeatable. */
  async close(id: string): Promise<void> {
    const opening = this.#attempts.get(id)
    if (opening === undefined) return
    this.#attempts.delete(id)
    opening.abort.abort()
    const attempt = await opening.opened.catch(() => undefined)
    attempt?.collector.free()
    for (const vector of attempt?.inputs ?? []) vector.free()
  }

  async #attempt(id: string): Promise<Attempt> {
    const opening = this.#attempts.get(id)
    if (opening === undefined) throw new EnigmaError('NOT_RUNNING', 'this attempt is over')
    return opening.opened
  }

  async #honestMajority(
    { order, inputs, built, signal }: Attempt,
    { id, context, roundTimeoutMs }: ComputeOrder,
    progress: (phase: Phase, done: number, total: number) => void,
  ): Promise<FieldVector> {
    const { plan, facts } = order
    progress('computing', 0, 1)
    const { circuit, params } = built
    if (isLinear(circuit)) return runLinearProgram(field, circuit, inputs, { params, signal })
    const others = plan.committee.filter((party) => party !== this.#options.self)
    const party = await joinCommittee({
      ...{ field, roundTimeoutMs, signal, context },
      session: await this.#openSession(id, others, { signal }),
      committee: { parties: plan.committee, threshold: facts.job.threshold },
    })
    try {
      const output = await runProgram(party, circuit, inputs, {
        ...{ params, signal },
        onProgress: ({ layer, layers }) => progress('computing', layer, layers),
      })
      await party.close()
      return output
    } catch (error) {
      await party.close(error)
      throw error
    }
  }

  async #spdz(
    { order, collector, built, signal }: Attempt,
    { id, context, roundTimeoutMs }: ComputeOrder,
    progress: (phase: Phase, done: number, total: number) => void,
  ) {
    const { plan, facts } = order
    const inputs = collector.additive()
    const modules = {
      ...{ host: this.#host, preprocessing: this.#preprocessing, progress },
      ...this.#options,
      openSession: (name: string, peers: readonly NodeId[]) => this.#openSession(name, peers, { signal }),
    }
    try {
      return await runSpdz(modules, {
        ...{ id, built, inputs, context, roundTimeoutMs, signal },
        audited: facts.job.protocol === 'spdz-audited',
        jobId: plan.jobId,
        committee: plan.committee,
        originals: collector.originals(),
      })
    } finally {
      for (const v of [inputs.values, inputs.masks, ...inputs.commitments]) v.free()
    }
  }

  async #openSession(
    id: string,
    peers: readonly NodeId[],
    { signal }: RequestOptions = {},
  ): Promise<Session> {
    const { port1, port2 } = new MessageChannel()
    try {
      const opening = this.#host.openSession(id, peers, port2)
      await (signal === undefined ? opening : orAbort(opening, signal))
    } catch (error) {
      port1.close()
      throw error
    }
    return new RelayedSession(id, this.#options.self, peers, port1)
  }
}
