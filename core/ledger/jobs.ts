import { concat, getBytes, hexlify, keccak256, toBeHex, zeroPadValue } from 'ethers'
import { EnigmaError } from '../base/errors.ts'
import { jobsCodec, referencesCodec } from './abi.ts'
import { chunk, LedgerConnection, pageOptions } from './connection.ts'
import * as constants from './constants.ts'
import { AlreadyDoneError, ledgerError } from './errors.ts'
import { isTransient, parseLog } from './events.ts'
import { digestReferences, jobSeed, referenceId } from './ids.ts'
import type { WriteOptions, WriteResult } from './ledger.ts'
import { compare, REFERENCE_KINDS, sameLength, toJob, toJobRef, toReference } from './records.ts'
import {
  type Address,
  type ApprovalInput,
  type Bytes32,
  FAIL_REASONS,
  type FailReason,
  type Hex,
  JOB_PROTOCOLS,
  type JobOutcome,
  type JobRecord,
  type JobRefRecord,
  type JobRequest,
  type NodeSignature,
  type ReadAt,
  type ReferenceInput,
  type ReferenceRecord,
  type ResultInput,
  type Signer,
  type TypedDataSigner,
} from './types.ts'

/** The contracts References and Jobs: what is shared, and what is computed with it. */
export abstract class JobsConnection extends LedgerConnection {
  // References.

  referenceId(identity: Address, xRef: Bytes32): Bytes32 {
    return referenceId(identity, xRef)
  }

  async createReference(signer: Signer, input: ReferenceInput, options?: WriteOptions): Promise<WriteResult> {
    return (await this.createReferences(signer, [input], options))[0]!
  }

  createReferences(signer: Signer, inputs: ReferenceInput[], options?: WriteOptions): Promise<WriteResult[]> {
    return this.writePages(inputs, constants.REFERENCE_PAGE, options, (page, pageOptions) => {
      const data = referencesCodec.encode('create', [page.map(toRawReference)])
      return this.write(
        signer,
        'store a reference',
        this.deployment.addresses.references,
        data,
        0n,
        pageOptions,
      )
    })
  }

  changePredicates(
    signer: Signer,
    ref: Bytes32,
    computePredicate: Bytes32,
    readPredicate: Bytes32,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = referencesCodec.encode('changePredicates', [ref, computePredicate, readPredicate])
    return this.write(signer, 'change predicates', this.deployment.addresses.references, data, 0n, options)
  }

  revoke(signer: Signer, ref: Bytes32, options?: WriteOptions): Promise<WriteResult> {
    const data = referencesCodec.encode('revoke', [ref])
    return this.write(signer, 'revoke', this.deployment.addresses.references, data, 0n, options)
  }

  async reference(ref: Bytes32, at?: ReadAt): Promise<ReferenceRecord | undefined> {
    return (await this.references([ref], at))[0]
  }

  async references(refs: Bytes32[], at?: ReadAt): Promise<(ReferenceRecord | undefined)[]> {
    const read = async (page: Bytes32[], block: number) => {
      const data = referencesCodec.encode('referencesOf', [page])
      const answer = await this.read(this.deployment.addresses.references, data, block)
      return this.decode(() =>
        sameLength(page, referencesCodec.decode('referencesOf', answer)).map((raw, i) =>
          toReference(page[i]!, raw),
        ),
      )
    }
    return this.readPages(refs, at, read, constants.REFERENCE_READ_PAGE)
  }

  async canRead(ref: Bytes32, account: Address, at?: ReadAt): Promise<boolean> {
    const data = referencesCodec.encode('canRead', [ref, account, this.seconds()])
    const answer = await this.read(this.deployment.addresses.references, data, at)
    return this.decode(() => referencesCodec.decode('canRead', answer))
  }

  // Jobs.

  async requestJob(
    signer: Signer,
    request: JobRequest,
    options: WriteOptions = {},
  ): Promise<{ jobId: Bytes32; refs: Bytes32[] }> {
    const records = await this.references(request.refs)
    for (const [i, record] of records.entries())
      if (record?.state !== 'active')
        throw new EnigmaError('PERMISSION_DENIED', `reference ${request.refs[i]} is unknown or revoked`, {
          details: { ref: request.refs[i]! },
        })
    const refs = (records as ReferenceRecord[])
      .sort((a, b) => (a.owner === b.owner ? compare(a.ref, b.ref) : compare(a.owner, b.owner)))
      .map((r) => r.ref)
    if (new Set(refs).size !== refs.length)
      throw new EnigmaError('INVALID_ARGUMENT', 'a job names each reference once')
    const params = request.params && request.params.length <= 4096 ? request.params : new Uint8Array()
    const paramsDigest = (request.params ? keccak256(request.params) : request.paramsDigest) as
      | Bytes32
      | undefined
    if (!paramsDigest) throw new EnigmaError('INVALID_ARGUMENT', 'a job has parameters or their digest')
    if (request.resultKey.length !== 33)
      throw new EnigmaError('INVALID_ARGUMENT', 'the key for the result has 33 bytes')
    const raw = {
      functionId: request.functionId,
      paramsDigest,
      refsDigest: await digestReferences(refs),
      refsCount: refs.length,
      committeeSize: request.committeeSize,
      threshold: request.threshold,
      protocol: JOB_PROTOCOLS.indexOf(request.protocol ?? 'honest-majority'),
      deadline: request.deadline,
      keyPrefix: request.resultKey[0]!,
      keyX: hexlify(request.resultKey.subarray(1)) as Hex,
      salt: request.salt,
    }
    const { jobs } = this.deployment.addresses
    const jobId = this.#jobId(signer.address, raw)
    const pages = chunk(refs, constants.JOB_PAGE)
    const first = jobsCodec.encode('request', [raw, hexlify(params) as Hex, pages[0] ?? []])
    await this.write(signer, 'request a computation', jobs, first, 0n, options)
    for (const [i, page] of pages.slice(1).entries()) {
      const data = jobsCodec.encode('addRefs', [jobId, page])
      await this.write(signer, 'request a computation', jobs, data, 0n, pageOptions(options, i + 1))
    }
    return { jobId, refs }
  }

  #jobId(requester: Address, request: object): Bytes32 {
    const encoded = jobsCodec.abi.encodeFunctionData('jobIdOf', [requester, request])
    const prefix = [toBeHex(this.deployment.chainId, 32), zeroPadValue(this.deployment.addresses.jobs, 32)]
    return keccak256(concat([...prefix, `0x${encoded.slice(10)}`])) as Bytes32
  }

  async job(jobId: Bytes32, at?: ReadAt): Promise<JobRecord | undefined> {
    const data = jobsCodec.encode('jobOf', [jobId])
    const answer = await this.read(this.deployment.addresses.jobs, data, at)
    return this.decode(() => toJob(jobId, jobsCodec.decode('jobOf', answer)))
  }

  async jobInputs(jobId: Bytes32): Promise<{ refs: Bytes32[]; params: Uint8Array | undefined }> {
    const job = await this.job(jobId)
    if (!job) throw new EnigmaError('NOT_FOUND', `there is no job ${jobId}`)
    const confirmed = await this.confirmedBlock()
    const topics = [[jobsCodec.topic('JobRequested'), jobsCodec.topic('JobRefsAdded')], jobId]
    const refs: Bytes32[] = []
    let params: Uint8Array | undefined
    let from = job.requestBlock
    while (refs.length < job.refsAdded && from <= confirmed.number) {
      const to = Math.min(from + constants.LOG_PAGE - 1, confirmed.number)
      const logs = await this.rpc.logs([this.deployment.addresses.jobs], from, to, topics)
      for (const log of logs) {
        const event = await this.decode(() => parseLog(this.deployment, log))
        if (event?.name === 'JobRequested') params = getBytes(event.params)
        if (event?.name === 'JobRefsAdded') refs.push(...event.refs)
      }
      from = to + 1
    }
    // The digest in the job's state decides whether the events are the whole truth.
    if (job.refsAdded === job.refsCount && (await digestReferences(refs)) !== job.refsDigest)
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint left out events of the job')
    if (params && keccak256(params) !== job.paramsDigest) params = undefined
    return { refs, params }
  }

  async jobOutcome(jobId: Bytes32): Promise<JobOutcome | undefined> {
    const job = await this.job(jobId)
    if (job?.state !== 'done') return undefined
    const confirmed = await this.confirmedBlock()
    const topics = [jobsCodec.topic('JobDone'), jobId]
    for (let from = job.openBlock; from <= confirmed.number; from += constants.LOG_PAGE) {
      const to = Math.min(from + constants.LOG_PAGE - 1, confirmed.number)
      const logs = await this.rpc.logs([this.deployment.addresses.jobs], from, to, topics)
      for (const log of logs) {
        const event = await this.decode(() => parseLog(this.deployment, log))
        if (event?.name !== 'JobDone' || event.jobId !== jobId) continue
        const { attempt, resultDigest, transcriptDigest, signers, blockNumber } = event
        return { jobId, attempt, resultDigest, transcriptDigest, signers, blockNumber }
      }
    }
    throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks the event that ended the job')
  }

  async jobRef(jobId: Bytes32, ref: Bytes32, at?: ReadAt): Promise<JobRefRecord> {
    return (await this.jobRefs(jobId, [ref], at))[0]!
  }

  async jobRefs(jobId: Bytes32, refs: Bytes32[], at?: ReadAt): Promise<JobRefRecord[]> {
    return this.readPages(refs, at, async (page, block) => {
      const data = jobsCodec.encode('jobRefsOf', [jobId, page])
      const answer = await this.read(this.deployment.addresses.jobs, data, block)
      return this.decode(() =>
        sameLength(page, jobsCodec.decode('jobRefsOf', answer)).map((raw, i) => toJobRef(page[i]!, raw)),
      )
    })
  }

  signApproval(signer: TypedDataSigner, approval: ApprovalInput): Promise<Hex> {
    return signer.signTypedData(this.typed.approval(approval))
  }

  approve(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('answer', [jobId, refs, true])
    return this.write(signer, 'approve a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  decline(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('answer', [jobId, refs, false])
    return this.write(signer, 'decline a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  relayApprovals(
    signer: Signer,
    jobId: Bytes32,
    approvals: { ref: Bytes32; approved: boolean; signature: Hex }[],
    options?: WriteOptions,
  ): Promise<WriteResult[]> {
    return this.writePages(approvals, constants.JOB_PAGE, options, (page, o) => {
      const data = jobsCodec.encode('relayAnswers', [jobId, page])
      return this.write(signer, 'relay approvals', this.deployment.addresses.jobs, data, 0n, o)
    })
  }

  admit(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult[]> {
    return this.writePages(refs, constants.JOB_PAGE, options, (page, o) => {
      const data = jobsCodec.encode('admit', [jobId, page])
      return this.write(signer, 'admit a computation', this.deployment.addresses.jobs, data, 0n, o)
    })
  }

  async admissible(
    jobId: Bytes32,
    refs: Bytes32[],
    at: ReadAt = 'confirmed',
  ): Promise<(EnigmaError | undefined)[]> {
    const block = await this.fixed(at)
    const job = await this.job(jobId, block)
    if (!job) throw new EnigmaError('NOT_FOUND', `there is no job ${jobId}`)
    const outcomes: (EnigmaError | undefined)[] = []
    for (const page of chunk(refs, 16))
      outcomes.push(...(await Promise.all(page.map((ref) => this.#admissible(job, ref, block)))))
    return outcomes
  }

  async #admissible(job: JobRecord, ref: Bytes32, block: number): Promise<EnigmaError | undefined> {
    try {
      const data = jobsCodec.encode('admit', [job.jobId, [ref]])
      await this.rpc.call(this.deployment.addresses.jobs, data, block, job.requester)
      return undefined
    } catch (error) {
      const typed = ledgerError(error, 'admit')
      if (typed instanceof AlreadyDoneError) return undefined
      if (isTransient(typed)) throw typed
      return EnigmaError.from(typed)
    }
  }

  async authorised(jobId: Bytes32, ref: Bytes32, at?: ReadAt): Promise<boolean> {
    return (await this.authorisedMany(jobId, [ref], at))[0] === true
  }

  authorisedMany(jobId: Bytes32, refs: Bytes32[], at?: ReadAt): Promise<boolean[]> {
    return this.readPages(refs, at, async (page, block) => {
      const data = jobsCodec.encode('authorised', [jobId, page, this.seconds()])
      const answer = await this.read(this.deployment.addresses.jobs, data, block)
      return this.decode(() => sameLength(page, jobsCodec.decode('authorised', answer)))
    })
  }

  async seed(jobId: Bytes32): Promise<Uint8Array | undefined> {
    const job = await this.job(jobId)
    if (!job || job.openBlock === 0) return undefined
    const block = await this.rpc.block(job.openBlock)
    if (!block)
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks the block that opened the job')
    return jobSeed(jobId, block.hash)
  }

  signResult(node: TypedDataSigner, result: ResultInput): Promise<Hex> {
    return node.signTypedData(this.typed.result(result))
  }

  postResult(
    signer: Signer,
    result: ResultInput,
    signatures: NodeSignature[],
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const sorted = [...signatures].sort((a, b) => compare(a.nodeId, b.nodeId))
    const data = jobsCodec.encode('postResult', [
      result.jobId,
      result.attempt,
      result.resultDigest,
      result.transcriptDigest,
      sorted.map((s) => s.nodeId),
      sorted.map((s) => s.signature),
    ])
    return this.write(signer, 'post a result', this.deployment.addresses.jobs, data, 0n, options)
  }

  signFailure(node: TypedDataSigner, jobId: Bytes32, reason: FailReason): Promise<Hex> {
    return node.signTypedData(this.typed.failure(jobId, FAIL_REASONS[reason]))
  }

  failJob(
    signer: Signer,
    jobId: Bytes32,
    reason: FailReason,
    signatures: NodeSignature[] = [],
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const sorted = [...signatures].sort((a, b) => compare(a.nodeId, b.nodeId))
    const data = jobsCodec.encode('fail', [
      jobId,
      FAIL_REASONS[reason],
      sorted.map((s) => s.nodeId),
      sorted.map((s) => s.signature),
    ])
    return this.write(signer, 'end a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  cancelJob(signer: Signer, jobId: Bytes32, options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('cancel', [jobId])
    return this.write(signer, 'cancel a computation', this.deployment.addresses.jobs, data, 0n, options)
  }
}

function toRawReference(input: ReferenceInput) {
  const { c0, kind, ...same } = input
  if (!/^0x[0-9a-fA-F]{128}$/.test(c0)) throw new EnigmaError('INVALID_ARGUMENT', 'C_0 has 64 bytes')
  return {
    ...same,
    kind: REFERENCE_KINDS.indexOf(kind),
    c0x: c0.slice(0, 66) as Hex,
    c0y: `0x${c0.slice(66)}` as Hex,
  }
}
