import { EnigmaError, hasCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { runCircuit } from '../circuits/run.ts'
import type { BuiltProgram, RunProgress } from '../circuits/types.ts'
import { g1 } from '../commitments/g1.ts'
import { chainNext, chainStart, roundDigest, runId } from '../commitments/rounds.ts'
import type { CommitmentVector, CommitVector } from '../commitments/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { freeAuth } from '../preprocessing/auth.ts'
import { PartyChannel, STEP } from '../preprocessing/channel.ts'
import type { MaterialSource } from '../preprocessing/types.ts'
import { spdzEngine } from '../spdz/engine.ts'
import { authenticate } from '../spdz/input.ts'
import { outputShares } from '../spdz/output.ts'
import { joinSpdz } from '../spdz/party.ts'
import type { RoundRecord } from '../spdz/types.ts'
import type { NodeId, Session } from '../transport/types.ts'
import { commitmentsDigest, runContext } from './challenge.ts'
import { answer, ask, commitOutputs, decodeAnswer, encodeAnswer, fits, hasOutputs } from './closing.ts'
import { ANSWER_ROUND, OUTPUT_ROUND } from './constants.ts'
import { signedRound } from './evidence.ts'
import { type Layout, layoutOf } from './layout.ts'
import { AuditedMaterial } from './material.ts'
import { replay } from './replay.ts'
import { decodeAnchor, encodeAnchor } from './transcript.ts'
import type { Anchor, RoundView, Transcript } from './types.ts'

export type AuditPhase = 'committing' | 'checking' | 'inputs' | 'computing' | 'closing'

export interface AuditedRunOptions {
  readonly field: PrimeField
  /** Two transport sessions among exactly the committee: for the audit, and for the computation. */
  readonly auditSession: Session
  readonly session: Session
  /** In party order; equals `material.epoch.parties`. */
  readonly parties: readonly NodeId[]
  /** With at least `auditedMaterial(circuit)`. */
  readonly material: MaterialSource
  readonly program: BuiltProgram
  /** This party's parts of all inputs, in order, and every party's commitments to its own. */
  readonly inputs: {
    readonly values: FieldVector
    readonly masks: FieldVector
    readonly commitments: readonly CommitmentVector[]
  }
  /** Of each reference: its owner's commitments, encoded; their constant terms are what `inputs` adds up to. */
  readonly originals: readonly Uint8Array[]
  /** 32 bytes. */
  readonly jobId: Uint8Array
  /** 32 bytes that this node never uses again: the digest of the epoch and the ranges of material claimed for the run. */
  readonly nonce: Uint8Array
  /** What the committee agreed on before. */
  readonly context: Uint8Array
  /** Signs a struct hash under the ledger's domain (65 bytes r ‖ s ‖ v). */
  sign(structHash: Uint8Array): Promise<Uint8Array>
  /** The signer of a struct hash; undefined when malformed. */
  signer(structHash: Uint8Array, signature: Uint8Array): NodeId | undefined
  readonly ledger: {
    /** Party 0 only: L[anchorKey(run)] ← digest, confirmed. */
    post(run: Uint8Array, digest: Uint8Array): Promise<Anchor>
    /** That L[anchorKey(run)] of the anchor's writer was `digest` at its block, and the block's hash (32 bytes). */
    confirm(run: Uint8Array, digest: Uint8Array, anchor: Anchor): Promise<Uint8Array>
  }
  /** By default in this thread, slice by slice. */
  readonly commit?: CommitVector
  /** Of `SpdzOptions`. */
  readonly batch?: number
  readonly roundTimeoutMs: number
  /** Longest wait for the ledger. */
  readonly ledgerTimeoutMs: number
  readonly signal?: AbortSignal
  readonly onPhase?: (phase: AuditPhase, progress?: RunProgress) => void
  /** Each round once everybody's signature was checked, before this party signs the next. */
  readonly onRound?: (round: RoundView) => Promise<void>
}

export interface AuditedResult {
  /** This party's part of the result for the requester, as `outputShares` makes it. */
  readonly output: FieldVector
  /** Masks of this party's commitments to its parts of the result: the requester checks them with `openOutput`. */
  readonly outputMasks: FieldVector
  readonly transcript: Transcript
}

/**
 * One party's side of an audited run. After an abort `details` of the error say what they say in `SpdzParty`; when parties
 * disagree about what was opened, the error carries the transcript so far as `AuditAborted.transcript`, whose
 * verification names whoever opened something else than it had committed to.
 */
export async function runAudited(options: AuditedRunOptions): Promise<AuditedResult> {
  const run = new AuditedRun(options)
  try {
    return await run.execute()
  } finally {
    await Promise.all([options.auditSession.close(), options.session.close()])
    run.free()
  }
}

/** An audited run that ended early; its transcript so far is evidence against whoever cheated. */
export class AuditAborted extends EnigmaError<'MPC_ABORTED'> {
  readonly transcript: Transcript

  constructor(cause: EnigmaError, transcript: Transcript) {
    super('MPC_ABORTED', cause.message, { ...(cause.details ? { details: cause.details } : {}), cause })
    this.transcript = transcript
  }
}

class AuditedRun {
  readonly #o: AuditedRunOptions
  readonly #layout: Layout
  readonly #run: Uint8Array
  readonly #channel: PartyChannel
  readonly #rounds: RoundRecord[] = []
  #material: AuditedMaterial | undefined
  #chain = new Uint8Array()
  #base: Omit<Transcript, 'rounds'> | undefined
  #context = new Uint8Array()

  constructor(options: AuditedRunOptions) {
    this.#o = options
    this.#layout = layoutOf(options.program.circuit)
    this.#run = runId(options.jobId, options.nonce)
    this.#channel = new PartyChannel({
      session: options.auditSession,
      parties: options.parties,
      index: options.material.epoch.index,
      timeoutMs: Math.max(options.roundTimeoutMs, options.ledgerTimeoutMs),
      signal: options.signal,
    })
  }

  async execute(): Promise<AuditedResult> {
    await this.#commit()
    let result: { parts: FieldVector; output: FieldVector }
    try {
      result = await this.#compute()
    } catch (error) {
      if (!hasCode(error, 'MPC_ABORTED') || this.#rounds.length === 0) throw error
      throw await this.#aborted(EnigmaError.from(error))
    }
    this.#o.onPhase?.('closing')
    const outputMasks = await this.#close(result.parts)
    if (outputMasks === undefined)
      throw new AuditAborted(
        this.#channel.fail('BAD_OPENING', 'a party did not commit to its part of the result'),
        this.#transcript(),
      )
    return { output: result.output, outputMasks, transcript: this.#transcript() }
  }

  free(): void {
    this.#material?.free()
  }

  /** Commitments of all parties, their digest on the ledger, and the block that came after it. */
  async #commit(): Promise<void> {
    const o = this.#o
    o.onPhase?.('committing')
    const channel = this.#channel
    const layout = this.#layout
    this.#material = await channel.working(() => AuditedMaterial.draw(o.field, o.material, layout, o))
    const material = await channel.broadcast(STEP.commit, this.#material.commitments)
    const size = g1.byteLength * (layout.length - layout.inputs)
    for (const [i, bytes] of material.entries())
      if (bytes.length !== size) throw channel.blame(i, 'MALFORMED', 'committed to another number of items')
    await channel.echo()
    const inputs = o.inputs.commitments.map((points) => g1.toBytes(points))
    const digest = commitmentsDigest(this.#run, o.parties, inputs, material)
    const post = () => channel.working(() => o.ledger.post(this.#run, digest))
    const announced = channel.index === 0 ? encodeAnchor(await post()) : undefined
    if (announced !== undefined)
      await Promise.all(channel.others.map((to) => channel.send(to, STEP.open, announced)))
    const named = announced ?? (await channel.receive(0, STEP.open))
    const anchor = decodeAnchor(named)
    if (anchor === undefined) throw channel.blame(0, 'MALFORMED', 'named no block of the ledger')
    // Two blocks for two parties would make them blame each other for running something else.
    channel.note(named)
    await channel.echo()
    const blockHash = await channel.working(() => o.ledger.confirm(this.#run, digest, anchor))
    // The computation has a shorter timeout, and nobody waits for the ledger there.
    await channel.echo()
    this.#context = new Uint8Array(runContext(o.context, digest, blockHash))
    // So would two blocks that their endpoints show under one number.
    channel.note(this.#context)
    await channel.echo()
    this.#chain = new Uint8Array(chainStart(this.#context))
    this.#base = {
      ...{ jobId: o.jobId, nonce: o.nonce, context: o.context, parties: o.parties, anchor },
      ...{ originals: o.originals, inputs, material },
    }
  }

  async #compute(): Promise<{ parts: FieldVector; output: FieldVector }> {
    const o = this.#o
    const { field } = o
    const material = this.#material!
    o.onPhase?.('checking')
    const party = await joinSpdz({
      ...{ field, session: o.session, parties: o.parties, material, roundTimeoutMs: o.roundTimeoutMs },
      ...(o.signal === undefined ? {} : { signal: o.signal }),
      ...(o.batch === undefined ? {} : { batch: o.batch }),
      context: this.#context,
      audit: {
        run: this.#run,
        sign: (digest) => o.sign(digest),
        signer: (digest, signature) => o.signer(digest, signature),
        record: (round) => this.#record(round),
      },
    })
    try {
      await material.sacrifice(party, this.#context, () => this.#chain)
      o.onPhase?.('inputs')
      const all = await authenticate(party, o.inputs)
      // By how much each party's share under the MACs differs from what it is committed to; the sum is zero.
      const offset = { share: field.sub(all.share, o.inputs.values), mac: field.zeros(all.share.length) }
      await party.round([], [offset])
      const engine = spdzEngine(party, material)
      let at = 0
      const slots = o.program.circuit.inputs.map((length) => {
        at += length
        return engine.slice(all, at - length, at)
      })
      const result = await runCircuit(engine, o.program.circuit, slots, {
        params: o.program.params,
        ...(o.signal === undefined ? {} : { signal: o.signal }),
        onProgress: (progress) => o.onPhase?.('computing', progress),
      })
      const output = await outputShares(party, material, result)
      await party.close()
      const parts = field.slice(result.share, 0, result.share.length)
      freeAuth(all, offset, result, ...slots)
      return { parts, output }
    } catch (error) {
      await party.close(error)
      throw error
    }
  }

  async #record(round: RoundRecord): Promise<void> {
    this.#rounds.push({
      round: round.round,
      payloads: round.payloads.map((p) => new Uint8Array(p)),
      signatures: round.signatures.map((s) => new Uint8Array(s)),
    })
    await this.#o.onRound?.({
      round: round.round,
      signed: round.payloads.map((p, i) => signedRound(this.#chain, p, round.signatures[i]!)),
    })
    this.#chain = new Uint8Array(chainNext(this.#chain, round.payloads))
  }

  /**
   * Commitments to the output, then the answer to the challenge that follows from everything before. Without output
   * (after an abort) the output's round is empty. Returns the masks of the output's commitments.
   */
  async #close(parts: FieldVector | undefined): Promise<FieldVector | undefined> {
    const o = this.#o
    const { field } = o
    const payloads = this.#rounds.map((r) => r.payloads)
    const replayed = await this.#channel.working(() =>
      replay(field, this.#layout, o.program, this.#context, payloads, o.parties.length),
    )
    const blinding = field.concat([o.inputs.masks, this.#material!.blinding])
    const given = parts !== undefined && replayed.output !== undefined
    const ownMasks = given ? await replayed.tape.forward(blinding, replayed.output) : undefined
    await turn()
    await this.#signedRound(OUTPUT_ROUND, given ? commitOutputs(parts, ownMasks!) : new Uint8Array())
    // What all saw decides whether there is a result, so that all answer the same question.
    const complete = hasOutputs(this.#layout, this.#rounds.at(-1)!.payloads)
    const asked = complete ? replayed : { ...replayed, output: undefined }
    const question = await ask(field, this.#layout, asked, this.#chain)
    const outputMasks = complete ? ownMasks : undefined
    await turn()
    const own = answer(field, question, this.#channel.index, blinding, outputMasks)
    blinding.free()
    await this.#signedRound(ANSWER_ROUND, await encodeAnswer(field, this.#run, own, (hash) => o.sign(hash)))
    return outputMasks
  }

  async #signedRound(round: number, payload: Uint8Array): Promise<void> {
    const o = this.#o
    const signature = await o.sign(roundDigest(this.#run, round, this.#chain, payload))
    const message = new Uint8Array(signature.length + payload.length)
    message.set(signature)
    message.set(payload, signature.length)
    const messages = await this.#channel.broadcast(STEP.round, message)
    const payloads = messages.map((m) => m.slice(signature.length))
    const signatures = messages.map((m) => m.slice(0, signature.length))
    for (const [i, p] of payloads.entries()) {
      if (i === this.#channel.index) continue
      await turn()
      if (o.signer(roundDigest(this.#run, round, this.#chain, p), signatures[i]!) !== o.parties[i])
        throw this.#channel.blame(i, 'BAD_SIGNATURE', 'did not sign its round', { closing: true })
    }
    await this.#record({ round, payloads, signatures })
  }

  /** Everybody answers for what was opened so far; the answer that does not fit names its party. */
  async #aborted(cause: EnigmaError): Promise<EnigmaError> {
    try {
      await this.#close(undefined)
      for (const [i, payload] of this.#rounds.at(-1)!.payloads.entries()) {
        const given = decodeAnswer(this.#o.field, payload)
        if (given === undefined || !fits(given.opening))
          return new AuditAborted(
            this.#channel.blame(i, 'BAD_OPENING', 'opened something else than it had committed to'),
            this.#transcript(),
          )
      }
      return new AuditAborted(cause, this.#transcript())
    } catch {
      // A party that does not answer is asked on the ledger.
      return new AuditAborted(cause, this.#transcript())
    }
  }

  #transcript(): Transcript {
    return { ...this.#base!, rounds: [...this.#rounds] }
  }
}
