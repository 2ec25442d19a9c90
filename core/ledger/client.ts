import { concat, getBytes, hexlify, keccak256, SigningKey, toBeHex, zeroPadValue } from 'ethers'
import { type Clock, systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { randomBytes } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import {
  dictionaryCodec,
  evidenceCodec,
  identitiesCodec,
  jobsCodec,
  predicatesCodec,
  referencesCodec,
  registryCodec,
} from './abi.ts'
import * as constants from './constants.ts'
import { AlreadyDoneError, ledgerError } from './errors.ts'
import { EventCursor, isTransient, parseLog } from './events.ts'
import { Outbox } from './outbox.ts'
import {
  REFERENCE_KINDS,
  toEvidenceKind,
  toJob,
  toJobRef,
  toMembers,
  toNode,
  toOutcome,
  toReference,
} from './records.ts'
import { Rpc, toBlockRef } from './rpc.ts'
import { TypedDataBuilder } from './typed-data.ts'
import {
  type Address,
  type ApprovalInput,
  type BlockRef,
  type Bytes32,
  type DemandInput,
  type DemandRecord,
  type EventHandler,
  type Evidence,
  FAIL_REASONS,
  type FailReason,
  type Hex,
  type IdentityMember,
  type IdentityRecord,
  JOB_PROTOCOLS,
  type JobOutcome,
  type JobRecord,
  type JobRefRecord,
  type JobRequest,
  type Ledger,
  type LedgerClientOptions,
  type LedgerDeployment,
  type LedgerModules,
  type NodeKey,
  type NodeRecord,
  type NodeSignature,
  type PermissionContext,
  type PermissionOutcome,
  type ReadAt,
  type ReferenceInput,
  type ReferenceRecord,
  type ResultInput,
  type Signer,
  type StoredIntent,
  type Subscription,
  type TypedDataSigner,
  type Verdict,
  type WriteOptions,
  type WriteResult,
} from './types.ts'

/** addr_P: the XOR of one hash per member over the member set, which is what the contract computes (Alg. 1). */
export function identityAddress(members: Address[]): Address {
  const sorted = members.map((m) => m.toLowerCase() as Address).sort()
  if (sorted.length === 0 || new Set(sorted).size !== sorted.length)
    throw new EnigmaError('INVALID_ARGUMENT', 'an identity has one or more different members')
  const words = sorted.map((member) => zeroPadValue(member, 32))
  const set = keccak256(concat(words))
  let sum = 0n
  for (const word of words) sum ^= BigInt(keccak256(concat([set, word])))
  return toBeHex(sum & ((1n << 160n) - 1n), 20) as Address
}

/** a_x = H(addr_P ‖ x_ref) (Alg. 3). */
export function referenceId(identity: Address, xRef: Bytes32): Bytes32 {
  return keccak256(concat([identity, xRef])) as Bytes32
}

/** H(jobId ‖ hash of the opening block): what every node draws the job's committee from. */
export function jobSeed(jobId: Bytes32, openBlockHash: Bytes32): Uint8Array {
  return getBytes(keccak256(concat([jobId, openBlockHash])))
}

/** The ledger over JSON-RPC. See `Ledger` for what the methods promise. */
export class LedgerClient implements Ledger {
  readonly deployment: LedgerDeployment
  readonly #options: Required<LedgerClientOptions>
  readonly #clock: Clock
  readonly #log: Log
  readonly #rpc: Rpc
  readonly #outbox: Outbox
  readonly #typed: TypedDataBuilder
  readonly #modules: LedgerModules
  readonly #subscriptions = new Map<string, EventCursor>()
  readonly #stop = new AbortController()
  #watching: Promise<void> | undefined

  constructor(options: LedgerClientOptions, modules: LedgerModules) {
    if (!Number.isInteger(options.confirmations) || options.confirmations < 1)
      throw new EnigmaError('INVALID_ARGUMENT', 'confirmations is an integer of at least 1')
    this.#options = {
      pollMs: constants.DEFAULT_POLL_MS,
      requestTimeoutMs: constants.DEFAULT_REQUEST_TIMEOUT_MS,
      keepBlocks: constants.DEFAULT_KEEP_BLOCKS,
      ...options,
    }
    this.deployment = options.deployment
    this.#modules = modules
    this.#clock = modules.clock ?? systemClock
    this.#log = (modules.log ?? silentLog).child('ledger')
    this.#rpc = new Rpc({ ...this.#options, log: this.#log })
    this.#typed = new TypedDataBuilder(this.deployment)
    this.#outbox = new Outbox(
      { ...this.#options, chainId: this.deployment.chainId },
      {
        rpc: this.#rpc,
        store: modules.outbox,
        clock: this.#clock,
        log: this.#log,
        refill: (account) => this.faucet(account),
      },
    )
  }

  // ---------------------------------------------------------------- life

  async start(): Promise<void> {
    const codes = await Promise.all(Object.values(this.deployment.addresses).map((a) => this.#rpc.code(a)))
    if (codes.includes('0x'))
      throw new EnigmaError(
        'LEDGER_WRONG_CHAIN',
        'the ledger contracts are not at the configured addresses',
        {
          remedy: 'Check the contract addresses in the settings.',
        },
      )
    await this.#outbox.start()
    await this.#outbox.onHead(await this.#rpc.head())
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#rpc.close()
    await this.#outbox.stop()
    await Promise.all([...this.#subscriptions.values()].map((s) => s.close()))
    await this.#watching
  }

  useSigner(signer: Signer): void {
    this.#outbox.useSigner(signer)
  }

  forgetSigner(address: Address): void {
    this.#outbox.forgetSigner(address)
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error))
          this.#log.error('ledger.watch-failed', { code: EnigmaError.from(error).code })
      }
      await this.#clock.sleep(this.#options.pollMs, signal).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    await this.#outbox.onHead(await this.#rpc.head())
    // Not awaited: a handler may itself wait for a transaction, which needs the next looks.
    for (const [id, subscription] of this.#subscriptions)
      void subscription.advance().catch((error) => {
        if (!this.#stop.signal.aborted && !isTransient(error))
          this.#log.error('ledger.handler-failed', { cursor: id, code: EnigmaError.from(error).code })
      })
  }

  // ---------------------------------------------------------------- reading and writing

  async #read(to: Address, data: Hex, at: ReadAt = 'confirmed'): Promise<Hex> {
    const block = at === 'confirmed' ? (await this.confirmedBlock()).number : at
    try {
      return await this.#rpc.call(to, data, block)
    } catch (error) {
      throw ledgerError(error, 'read')
    }
  }

  /** Turns what does not decode into LEDGER_UNREACHABLE: the endpoint is of no use. */
  async #decode<T>(decode: () => T): Promise<T> {
    await turn()
    try {
      return decode()
    } catch (error) {
      if (error instanceof EnigmaError) throw error
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with malformed data', {
        cause: error,
      })
    }
  }

  async #write(
    signer: Signer,
    label: string,
    to: Address,
    data: Hex,
    value: bigint,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const id = options.id ?? hexlify(randomBytes(16))
    options.signal?.throwIfAborted()
    await this.#outbox.submit(signer, { id, label, to, data, value: value.toString() })
    if (options.wait === 'stored') return { id, txHash: null, blockNumber: null }
    const { txHash, blockNumber } = await this.#outbox.wait(id, options.wait ?? 'confirmed', options.signal)
    return { id, txHash, blockNumber }
  }

  async head(): Promise<BlockRef> {
    return toBlockRef(await this.#rpc.head())
  }

  async confirmedBlock(): Promise<BlockRef> {
    const head = await this.#rpc.head()
    if (this.#options.confirmations === 1) return toBlockRef(head)
    const block = await this.#rpc.block(Math.max(0, head.number - this.#options.confirmations + 1))
    if (!block) throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks the confirmed block')
    return toBlockRef(block)
  }

  balance(account: Address): Promise<bigint> {
    return this.#rpc.balance(account)
  }

  async faucet(account: Address, wei: bigint = 100n * 10n ** 18n): Promise<void> {
    if (this.deployment.chainId !== constants.DEVNET_CHAIN_ID)
      throw new EnigmaError('UNSUPPORTED', 'only a devnet has a faucet')
    if ((await this.#rpc.balance(account)) >= wei) return
    await this.#rpc.devnet('anvil_setBalance', [account, `0x${wei.toString(16)}`])
    // A block of its own, so that the balance is part of what the devnet saves.
    await this.#rpc.devnet('evm_mine', [])
  }

  transfer(signer: Signer, to: Address, wei: bigint, options?: WriteOptions): Promise<WriteResult> {
    if (wei <= 0n) throw new EnigmaError('INVALID_ARGUMENT', 'the amount is more than zero')
    return this.#write(signer, 'payment', to, '0x', wei, options)
  }

  // ---------------------------------------------------------------- dictionary

  set(signer: Signer, key: Bytes32, value: Uint8Array, options?: WriteOptions): Promise<WriteResult> {
    const data = dictionaryCodec.encode('set', [key, hexlify(value) as Hex])
    return this.#write(signer, 'set a public value', this.deployment.addresses.dictionary, data, 0n, options)
  }

  async get(writer: Address, key: Bytes32, at?: ReadAt): Promise<Uint8Array> {
    const data = dictionaryCodec.encode('get', [writer, key])
    const answer = await this.#read(this.deployment.addresses.dictionary, data, at)
    return this.#decode(() => getBytes(dictionaryCodec.decode('get', answer)))
  }

  async getAsOf(writer: Address, key: Bytes32, blockNumber: number): Promise<Uint8Array> {
    const data = dictionaryCodec.encode('getAtBlock', [writer, key, BigInt(blockNumber)])
    const answer = await this.#read(this.deployment.addresses.dictionary, data)
    return this.#decode(() => getBytes(dictionaryCodec.decode('getAtBlock', answer)))
  }

  // ---------------------------------------------------------------- identities

  identityAddress(members: Address[]): Address {
    return identityAddress(members)
  }

  signIdentity(
    signer: TypedDataSigner,
    members: IdentityMember[],
    storePredicate: Bytes32,
    nonce = 0,
  ): Promise<Hex> {
    const sorted = sortMembers(members)
    const identity = identityAddress(sorted.map((m) => m.account))
    return signer.signTypedData(this.#typed.consent(identity, sorted, storePredicate, nonce))
  }

  createIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents: Record<Address, Hex> = {},
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = identitiesCodec.encode('create', identityArgs(members, storePredicate, consents))
    return this.#write(signer, 'create an identity', this.deployment.addresses.identities, data, 0n, options)
  }

  updateIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents: Record<Address, Hex> = {},
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = identitiesCodec.encode('update', identityArgs(members, storePredicate, consents))
    return this.#write(signer, 'change an identity', this.deployment.addresses.identities, data, 0n, options)
  }

  async identity(address: Address, at?: ReadAt): Promise<IdentityRecord | undefined> {
    const data = identitiesCodec.encode('identityOf', [address])
    const answer = await this.#read(this.deployment.addresses.identities, data, at)
    return this.#decode(() => {
      const [nonce, storePredicate, acl] = identitiesCodec.decode('identityOf', answer)
      return nonce === 0 ? undefined : { address, nonce, storePredicate, members: toMembers(acl) }
    })
  }

  // ---------------------------------------------------------------- predicates

  async publishPredicate(signer: Signer, encoding: Uint8Array, options?: WriteOptions): Promise<WriteResult> {
    const id = keccak256(encoding) as Bytes32
    if ((await this.predicate(id)) !== undefined)
      return { id: options?.id ?? id, txHash: null, blockNumber: null }
    const data = predicatesCodec.encode('publish', [hexlify(encoding) as Hex])
    return this.#write(signer, 'publish a predicate', this.deployment.addresses.predicates, data, 0n, options)
  }

  async predicate(id: Bytes32, at?: ReadAt): Promise<Uint8Array | undefined> {
    const data = predicatesCodec.encode('encodingOf', [id])
    const answer = await this.#read(this.deployment.addresses.predicates, data, at)
    const encoding = await this.#decode(() => getBytes(predicatesCodec.decode('encodingOf', answer)))
    if (encoding.length === 0) return undefined
    if (keccak256(encoding) !== id)
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with another predicate')
    return encoding
  }

  async checkPermission(id: Bytes32, context: PermissionContext, at?: ReadAt): Promise<PermissionOutcome> {
    const { now, ...same } = context
    const data = predicatesCodec.encode('check', [id, { ...same, time: BigInt(now) }])
    const answer = await this.#read(this.deployment.addresses.predicates, data, at)
    return this.#decode(() => toOutcome(predicatesCodec.decode('check', answer)[0]))
  }

  // ---------------------------------------------------------------- references

  referenceId(identity: Address, xRef: Bytes32): Bytes32 {
    return referenceId(identity, xRef)
  }

  async createReference(signer: Signer, input: ReferenceInput, options?: WriteOptions): Promise<WriteResult> {
    return (await this.createReferences(signer, [input], options))[0]!
  }

  createReferences(signer: Signer, inputs: ReferenceInput[], options?: WriteOptions): Promise<WriteResult[]> {
    return this.#pages(inputs, constants.REFERENCE_PAGE, options, (page, pageOptions) => {
      const data = referencesCodec.encode('create', [page.map(toRawReference)])
      return this.#write(
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
    return this.#write(signer, 'change predicates', this.deployment.addresses.references, data, 0n, options)
  }

  revoke(signer: Signer, ref: Bytes32, options?: WriteOptions): Promise<WriteResult> {
    const data = referencesCodec.encode('revoke', [ref])
    return this.#write(signer, 'revoke', this.deployment.addresses.references, data, 0n, options)
  }

  async reference(ref: Bytes32, at?: ReadAt): Promise<ReferenceRecord | undefined> {
    return (await this.references([ref], at))[0]
  }

  async references(refs: Bytes32[], at?: ReadAt): Promise<(ReferenceRecord | undefined)[]> {
    const read = async (page: Bytes32[], block: number) => {
      const data = referencesCodec.encode('referencesOf', [page])
      const answer = await this.#read(this.deployment.addresses.references, data, block)
      return this.#decode(() =>
        sameLength(page, referencesCodec.decode('referencesOf', answer)).map((raw, i) =>
          toReference(page[i]!, raw),
        ),
      )
    }
    return this.#readPages(refs, at, read, constants.REFERENCE_READ_PAGE)
  }

  async canRead(ref: Bytes32, account: Address, at?: ReadAt): Promise<boolean> {
    const data = referencesCodec.encode('canRead', [ref, account, this.#seconds()])
    const answer = await this.#read(this.deployment.addresses.references, data, at)
    return this.#decode(() => referencesCodec.decode('canRead', answer))
  }

  // ---------------------------------------------------------------- nodes

  async minimumDeposit(): Promise<bigint> {
    const data = registryCodec.encode('minimumDeposit', [])
    const answer = await this.#read(this.deployment.addresses.registry, data)
    return this.#decode(() => registryCodec.decode('minimumDeposit', answer))
  }

  async registerNode(
    signer: Signer,
    node: NodeKey,
    input: { hint: string; capacity: number; deposit: bigint },
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const point = SigningKey.computePublicKey(hexlify(node.publicKey), false)
    const signature = await node.signTypedData(this.#typed.nodeBinding(signer.address))
    const x = `0x${point.slice(4, 68)}` as Hex
    const y = `0x${point.slice(68)}` as Hex
    const data = registryCodec.encode('register', [x, y, signature, input.hint, input.capacity])
    const { registry } = this.deployment.addresses
    return this.#write(signer, 'register the node', registry, data, input.deposit, options)
  }

  updateNode(
    signer: Signer,
    nodeId: Address,
    input: { hint: string; capacity: number },
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = registryCodec.encode('update', [nodeId, input.hint, input.capacity])
    return this.#write(signer, 'update the node', this.deployment.addresses.registry, data, 0n, options)
  }

  unbondNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult> {
    const data = registryCodec.encode('unbond', [nodeId])
    return this.#write(signer, 'unbond the node', this.deployment.addresses.registry, data, 0n, options)
  }

  withdrawNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult> {
    const data = registryCodec.encode('withdraw', [nodeId])
    return this.#write(signer, 'withdraw the deposit', this.deployment.addresses.registry, data, 0n, options)
  }

  async isRegistered(nodeId: Address, at?: ReadAt): Promise<boolean> {
    const data = registryCodec.encode('isRegistered', [nodeId])
    const answer = await this.#read(this.deployment.addresses.registry, data, at)
    return this.#decode(() => registryCodec.decode('isRegistered', answer))
  }

  async node(nodeId: Address, at?: ReadAt): Promise<NodeRecord | undefined> {
    const data = registryCodec.encode('nodeOf', [nodeId])
    const answer = await this.#read(this.deployment.addresses.registry, data, at)
    return this.#decode(() => toNode(nodeId, registryCodec.decode('nodeOf', answer)))
  }

  async nodes(at: ReadAt = 'confirmed'): Promise<NodeRecord[]> {
    const block = await this.#fixed(at)
    const list: NodeRecord[] = []
    for (let offset = 0; ; offset += constants.NODES_PAGE) {
      const data = registryCodec.encode('activeNodes', [BigInt(offset), BigInt(constants.NODES_PAGE)])
      const answer = await this.#read(this.deployment.addresses.registry, data, block)
      const [ids, nodes] = await this.#decode(() => registryCodec.decode('activeNodes', answer))
      for (const [i, raw] of sameLength(ids, nodes).entries()) {
        const node = toNode(ids[i]!, raw)
        if (node) list.push(node)
      }
      if (ids.length < constants.NODES_PAGE) break
    }
    return list.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
  }

  // ---------------------------------------------------------------- jobs

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
      refsDigest: refs.reduce<Bytes32>(
        (digest, ref) => keccak256(concat([digest, ref])) as Bytes32,
        constants.ZERO_BYTES32,
      ),
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
    await this.#write(signer, 'request a computation', jobs, first, 0n, options)
    for (const [i, page] of pages.slice(1).entries()) {
      const data = jobsCodec.encode('addRefs', [jobId, page])
      await this.#write(signer, 'request a computation', jobs, data, 0n, pageOptions(options, i + 1))
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
    const answer = await this.#read(this.deployment.addresses.jobs, data, at)
    return this.#decode(() => toJob(jobId, jobsCodec.decode('jobOf', answer)))
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
      const logs = await this.#rpc.logs([this.deployment.addresses.jobs], from, to, topics)
      for (const log of logs) {
        const event = await this.#decode(() => parseLog(this.deployment, log))
        if (event?.name === 'JobRequested') params = getBytes(event.params)
        if (event?.name === 'JobRefsAdded') refs.push(...event.refs)
      }
      from = to + 1
    }
    // The digest in the job's state decides whether the events are the whole truth.
    const digest = refs.reduce((d, ref) => keccak256(concat([d, ref])), constants.ZERO_BYTES32 as string)
    if (job.refsAdded === job.refsCount && digest !== job.refsDigest)
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
      const logs = await this.#rpc.logs([this.deployment.addresses.jobs], from, to, topics)
      for (const log of logs) {
        const event = await this.#decode(() => parseLog(this.deployment, log))
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
    return this.#readPages(refs, at, async (page, block) => {
      const data = jobsCodec.encode('jobRefsOf', [jobId, page])
      const answer = await this.#read(this.deployment.addresses.jobs, data, block)
      return this.#decode(() =>
        sameLength(page, jobsCodec.decode('jobRefsOf', answer)).map((raw, i) => toJobRef(page[i]!, raw)),
      )
    })
  }

  signApproval(signer: TypedDataSigner, approval: ApprovalInput): Promise<Hex> {
    return signer.signTypedData(this.#typed.approval(approval))
  }

  approve(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('answer', [jobId, refs, true])
    return this.#write(signer, 'approve a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  decline(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('answer', [jobId, refs, false])
    return this.#write(signer, 'decline a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  relayApprovals(
    signer: Signer,
    jobId: Bytes32,
    approvals: { ref: Bytes32; approved: boolean; signature: Hex }[],
    options?: WriteOptions,
  ): Promise<WriteResult[]> {
    return this.#pages(approvals, constants.JOB_PAGE, options, (page, o) => {
      const data = jobsCodec.encode('relayAnswers', [jobId, page])
      return this.#write(signer, 'relay approvals', this.deployment.addresses.jobs, data, 0n, o)
    })
  }

  admit(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult[]> {
    return this.#pages(refs, constants.JOB_PAGE, options, (page, o) => {
      const data = jobsCodec.encode('admit', [jobId, page])
      return this.#write(signer, 'admit a computation', this.deployment.addresses.jobs, data, 0n, o)
    })
  }

  async admissible(
    jobId: Bytes32,
    refs: Bytes32[],
    at: ReadAt = 'confirmed',
  ): Promise<(EnigmaError | undefined)[]> {
    const block = await this.#fixed(at)
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
      await this.#rpc.call(this.deployment.addresses.jobs, data, block, job.requester)
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
    return this.#readPages(refs, at, async (page, block) => {
      const data = jobsCodec.encode('authorised', [jobId, page, this.#seconds()])
      const answer = await this.#read(this.deployment.addresses.jobs, data, block)
      return this.#decode(() => sameLength(page, jobsCodec.decode('authorised', answer)))
    })
  }

  async seed(jobId: Bytes32): Promise<Uint8Array | undefined> {
    const job = await this.job(jobId)
    if (!job || job.openBlock === 0) return undefined
    const block = await this.#rpc.block(job.openBlock)
    if (!block)
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks the block that opened the job')
    return jobSeed(jobId, block.hash)
  }

  signResult(node: TypedDataSigner, result: ResultInput): Promise<Hex> {
    return node.signTypedData(this.#typed.result(result))
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
    return this.#write(signer, 'post a result', this.deployment.addresses.jobs, data, 0n, options)
  }

  signFailure(node: TypedDataSigner, jobId: Bytes32, reason: FailReason): Promise<Hex> {
    return node.signTypedData(this.#typed.failure(jobId, FAIL_REASONS[reason]))
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
    return this.#write(signer, 'end a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  cancelJob(signer: Signer, jobId: Bytes32, options?: WriteOptions): Promise<WriteResult> {
    const data = jobsCodec.encode('cancel', [jobId])
    return this.#write(signer, 'cancel a computation', this.deployment.addresses.jobs, data, 0n, options)
  }

  // ---------------------------------------------------------------- evidence

  reportEvidence(signer: Signer, evidence: Evidence, options?: WriteOptions): Promise<WriteResult> {
    const { jobId, nonce, party } = evidence
    const data =
      evidence.kind === 'wrong-opening'
        ? evidenceCodec.encode('reportOpening', [jobId, nonce, party, evidence.opening, evidence.signature])
        : evidenceCodec.encode('reportEquivocation', [
            jobId,
            nonce,
            party,
            evidence.round,
            ...evidence.signed,
          ])
    return this.#write(signer, 'report a cheater', this.deployment.addresses.evidence, data, 0n, options)
  }

  demandAnswer(signer: Signer, demand: DemandInput, options?: WriteOptions): Promise<WriteResult> {
    const { jobId, nonce, party, round, last, asNode = constants.ZERO_ADDRESS } = demand
    const data = evidenceCodec.encode('demand', [jobId, nonce, party, round, last, asNode])
    return this.#write(signer, 'demand an answer', this.deployment.addresses.evidence, data, 0n, options)
  }

  async answerDemand(
    signer: Signer,
    node: TypedDataSigner,
    jobId: Bytes32,
    content: Uint8Array,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const open = await this.demandOf(jobId, node.address)
    if (!open) throw new EnigmaError('NOT_FOUND', `nobody demands an answer of ${node.address}`)
    const signature = await node.signTypedData(this.#typed.answer(open.id, keccak256(content) as Bytes32))
    const data = evidenceCodec.encode('answer', [jobId, node.address, hexlify(content) as Hex, signature])
    return this.#write(signer, 'answer a demand', this.deployment.addresses.evidence, data, 0n, options)
  }

  reportSilence(
    signer: Signer,
    jobId: Bytes32,
    party: Address,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = evidenceCodec.encode('reportSilence', [jobId, party])
    return this.#write(signer, 'report a silent node', this.deployment.addresses.evidence, data, 0n, options)
  }

  async demandOf(jobId: Bytes32, party: Address, at?: ReadAt): Promise<DemandRecord | undefined> {
    const data = evidenceCodec.encode('demandOf', [jobId, party])
    const answer = await this.#read(this.deployment.addresses.evidence, data, at)
    const open = await this.#decode(() => evidenceCodec.decode('demandOf', answer))
    return open.id === constants.ZERO_BYTES32 ? undefined : open
  }

  async verdicts(jobId: Bytes32, party: Address, at?: ReadAt): Promise<Verdict[]> {
    const data = evidenceCodec.encode('verdictsOf', [jobId, party])
    const answer = await this.#read(this.deployment.addresses.evidence, data, at)
    return this.#decode(() =>
      evidenceCodec.decode('verdictsOf', answer).map((v) => ({ ...v, kind: toEvidenceKind(v.kind) })),
    )
  }

  async block(number: number): Promise<BlockRef | undefined> {
    const block = await this.#rpc.block(number)
    return block && toBlockRef(block)
  }

  // ---------------------------------------------------------------- events

  async subscribe(cursorId: string, handler: EventHandler): Promise<Subscription> {
    if (this.#subscriptions.has(cursorId))
      throw new EnigmaError('INVALID_ARGUMENT', `there is a subscription ${cursorId} already`)
    const { deployment } = this
    const cursor = new EventCursor(
      cursorId,
      { deployment, confirmations: this.#options.confirmations, handler },
      { rpc: this.#rpc, cursors: this.#modules.cursors, clock: this.#clock, log: this.#log },
    )
    this.#subscriptions.set(cursorId, cursor)
    return {
      caughtUp: () => cursor.caughtUp(),
      close: async () => {
        this.#subscriptions.delete(cursorId)
        await cursor.close()
      },
    }
  }

  async pending(): Promise<StoredIntent[]> {
    return this.#outbox.pending()
  }

  // ---------------------------------------------------------------- helpers

  #seconds(): bigint {
    return BigInt(Math.floor(this.#clock.now() / 1000))
  }

  async #fixed(at: ReadAt): Promise<number> {
    if (typeof at === 'number') return at
    return (at === 'latest' ? await this.head() : await this.confirmedBlock()).number
  }

  /** All pages of one answer come from one block. */
  async #readPages<T, R>(
    items: T[],
    at: ReadAt = 'confirmed',
    read: (page: T[], block: number) => Promise<R[]>,
    size: number = constants.READ_PAGE,
  ): Promise<R[]> {
    if (items.length === 0) return []
    const block = await this.#fixed(at)
    const out: R[] = []
    for (const pages of chunk(chunk(items, size), constants.READS_AT_ONCE))
      out.push(...(await Promise.all(pages.map((page) => read(page, block)))).flat())
    return out
  }

  async #pages<T>(
    items: T[],
    size: number,
    options: WriteOptions = {},
    write: (page: T[], options: WriteOptions) => Promise<WriteResult>,
  ): Promise<WriteResult[]> {
    if (items.length === 0) throw new EnigmaError('INVALID_ARGUMENT', 'nothing to write')
    const results: WriteResult[] = []
    for (const [i, page] of chunk(items, size).entries())
      results.push(await write(page, pageOptions(options, i)))
    return results
  }
}

function pageOptions(options: WriteOptions, page: number): WriteOptions {
  return options.id === undefined || page === 0 ? options : { ...options, id: `${options.id}/${page}` }
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const pages: T[][] = []
  for (let i = 0; i < items.length; i += size) pages.push(items.slice(i, i + size))
  return pages
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sameLength<T>(asked: readonly unknown[], answered: T[]): T[] {
  if (asked.length === answered.length) return answered
  throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with another number of items')
}

function sortMembers(members: IdentityMember[]): IdentityMember[] {
  return members
    .map((m) => ({ ...m, account: m.account.toLowerCase() as Address }))
    .sort((a, b) => compare(a.account, b.account))
}

function identityArgs(
  members: IdentityMember[],
  storePredicate: Bytes32,
  consents: Record<Address, Hex>,
): [Address[], bigint[], Bytes32, Hex[]] {
  const sorted = sortMembers(members)
  const signatures = sorted.map((m) => consents[m.account] ?? '0x')
  return [sorted.map((m) => m.account), sorted.map((m) => m.roles), storePredicate, signatures]
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
