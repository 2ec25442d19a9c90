import { getBytes, hexlify, keccak256, SigningKey } from 'ethers'
import { EnigmaError } from '../base/errors.ts'
import { dictionaryCodec, evidenceCodec, identitiesCodec, predicatesCodec, registryCodec } from './abi.ts'
import * as constants from './constants.ts'
import { identityAddress } from './ids.ts'
import { JobsConnection } from './jobs.ts'
import type { Ledger, WriteOptions, WriteResult } from './ledger.ts'
import { compare, sameLength, toEvidenceKind, toMembers, toNode, toOutcome } from './records.ts'
import type {
  Address,
  Bytes32,
  DemandInput,
  DemandRecord,
  Evidence,
  Hex,
  IdentityMember,
  IdentityRecord,
  NodeKey,
  NodeRecord,
  PermissionContext,
  PermissionOutcome,
  ReadAt,
  Signer,
  TypedDataSigner,
  Verdict,
} from './types.ts'

/** The ledger over JSON-RPC. See `Ledger` for what the methods promise. */
export class LedgerClient extends JobsConnection implements Ledger {
  // Dictionary.

  set(signer: Signer, key: Bytes32, value: Uint8Array, options?: WriteOptions): Promise<WriteResult> {
    const data = dictionaryCodec.encode('set', [key, hexlify(value) as Hex])
    return this.write(signer, 'set a public value', this.deployment.addresses.dictionary, data, 0n, options)
  }

  async get(writer: Address, key: Bytes32, at?: ReadAt): Promise<Uint8Array> {
    const data = dictionaryCodec.encode('get', [writer, key])
    const answer = await this.read(this.deployment.addresses.dictionary, data, at)
    return this.decode(() => getBytes(dictionaryCodec.decode('get', answer)))
  }

  async getAsOf(writer: Address, key: Bytes32, blockNumber: number): Promise<Uint8Array> {
    const data = dictionaryCodec.encode('getAtBlock', [writer, key, BigInt(blockNumber)])
    const answer = await this.read(this.deployment.addresses.dictionary, data)
    return this.decode(() => getBytes(dictionaryCodec.decode('getAtBlock', answer)))
  }

  // Identities.

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
    return signer.signTypedData(this.typed.consent(identity, sorted, storePredicate, nonce))
  }

  createIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents: Record<Address, Hex> = {},
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = identitiesCodec.encode('create', identityArgs(members, storePredicate, consents))
    return this.write(signer, 'create an identity', this.deployment.addresses.identities, data, 0n, options)
  }

  updateIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents: Record<Address, Hex> = {},
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = identitiesCodec.encode('update', identityArgs(members, storePredicate, consents))
    return this.write(signer, 'change an identity', this.deployment.addresses.identities, data, 0n, options)
  }

  async identity(address: Address, at?: ReadAt): Promise<IdentityRecord | undefined> {
    const data = identitiesCodec.encode('identityOf', [address])
    const answer = await this.read(this.deployment.addresses.identities, data, at)
    return this.decode(() => {
      const [nonce, storePredicate, acl] = identitiesCodec.decode('identityOf', answer)
      return nonce === 0 ? undefined : { address, nonce, storePredicate, members: toMembers(acl) }
    })
  }

  // Predicates.

  async publishPredicate(signer: Signer, encoding: Uint8Array, options?: WriteOptions): Promise<WriteResult> {
    const id = keccak256(encoding) as Bytes32
    if ((await this.predicate(id)) !== undefined)
      return { id: options?.id ?? id, txHash: null, blockNumber: null }
    const data = predicatesCodec.encode('publish', [hexlify(encoding) as Hex])
    return this.write(signer, 'publish a predicate', this.deployment.addresses.predicates, data, 0n, options)
  }

  async predicate(id: Bytes32, at?: ReadAt): Promise<Uint8Array | undefined> {
    const data = predicatesCodec.encode('encodingOf', [id])
    const answer = await this.read(this.deployment.addresses.predicates, data, at)
    const encoding = await this.decode(() => getBytes(predicatesCodec.decode('encodingOf', answer)))
    if (encoding.length === 0) return undefined
    if (keccak256(encoding) !== id)
      throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with another predicate')
    return encoding
  }

  async checkPermission(id: Bytes32, context: PermissionContext, at?: ReadAt): Promise<PermissionOutcome> {
    const { now, ...same } = context
    const data = predicatesCodec.encode('check', [id, { ...same, time: BigInt(now) }])
    const answer = await this.read(this.deployment.addresses.predicates, data, at)
    return this.decode(() => toOutcome(predicatesCodec.decode('check', answer)[0]))
  }

  // Nodes.

  async minimumDeposit(): Promise<bigint> {
    const data = registryCodec.encode('minimumDeposit', [])
    const answer = await this.read(this.deployment.addresses.registry, data)
    return this.decode(() => registryCodec.decode('minimumDeposit', answer))
  }

  async registerNode(
    signer: Signer,
    node: NodeKey,
    input: { hint: string; capacity: number; deposit: bigint },
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const point = SigningKey.computePublicKey(hexlify(node.publicKey), false)
    const signature = await node.signTypedData(this.typed.nodeBinding(signer.address))
    const x = `0x${point.slice(4, 68)}` as Hex
    const y = `0x${point.slice(68)}` as Hex
    const data = registryCodec.encode('register', [x, y, signature, input.hint, input.capacity])
    const { registry } = this.deployment.addresses
    return this.write(signer, 'register the node', registry, data, input.deposit, options)
  }

  updateNode(
    signer: Signer,
    nodeId: Address,
    input: { hint: string; capacity: number },
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = registryCodec.encode('update', [nodeId, input.hint, input.capacity])
    return this.write(signer, 'update the node', this.deployment.addresses.registry, data, 0n, options)
  }

  unbondNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult> {
    const data = registryCodec.encode('unbond', [nodeId])
    return this.write(signer, 'unbond the node', this.deployment.addresses.registry, data, 0n, options)
  }

  withdrawNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult> {
    const data = registryCodec.encode('withdraw', [nodeId])
    return this.write(signer, 'withdraw the deposit', this.deployment.addresses.registry, data, 0n, options)
  }

  async isRegistered(nodeId: Address, at?: ReadAt): Promise<boolean> {
    const data = registryCodec.encode('isRegistered', [nodeId])
    const answer = await this.read(this.deployment.addresses.registry, data, at)
    return this.decode(() => registryCodec.decode('isRegistered', answer))
  }

  async node(nodeId: Address, at?: ReadAt): Promise<NodeRecord | undefined> {
    const data = registryCodec.encode('nodeOf', [nodeId])
    const answer = await this.read(this.deployment.addresses.registry, data, at)
    return this.decode(() => toNode(nodeId, registryCodec.decode('nodeOf', answer)))
  }

  async nodes(at: ReadAt = 'confirmed'): Promise<NodeRecord[]> {
    const block = await this.fixed(at)
    const list: NodeRecord[] = []
    for (let offset = 0; ; offset += constants.NODES_PAGE) {
      const data = registryCodec.encode('activeNodes', [BigInt(offset), BigInt(constants.NODES_PAGE)])
      const answer = await this.read(this.deployment.addresses.registry, data, block)
      const [ids, nodes] = await this.decode(() => registryCodec.decode('activeNodes', answer))
      for (const [i, raw] of sameLength(ids, nodes).entries()) {
        const node = toNode(ids[i]!, raw)
        if (node) list.push(node)
      }
      if (ids.length < constants.NODES_PAGE) break
    }
    return list.sort((a, b) => compare(a.nodeId, b.nodeId))
  }

  // Evidence.

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
    return this.write(signer, 'report a cheater', this.deployment.addresses.evidence, data, 0n, options)
  }

  demandAnswer(signer: Signer, demand: DemandInput, options?: WriteOptions): Promise<WriteResult> {
    const { jobId, nonce, party, round, last, asNode = constants.ZERO_ADDRESS } = demand
    const data = evidenceCodec.encode('demand', [jobId, nonce, party, round, last, asNode])
    return this.write(signer, 'demand an answer', this.deployment.addresses.evidence, data, 0n, options)
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
    const signature = await node.signTypedData(this.typed.answer(open.id, keccak256(content) as Bytes32))
    const data = evidenceCodec.encode('answer', [jobId, node.address, hexlify(content) as Hex, signature])
    return this.write(signer, 'answer a demand', this.deployment.addresses.evidence, data, 0n, options)
  }

  reportSilence(
    signer: Signer,
    jobId: Bytes32,
    party: Address,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    const data = evidenceCodec.encode('reportSilence', [jobId, party])
    return this.write(signer, 'report a silent node', this.deployment.addresses.evidence, data, 0n, options)
  }

  async demandOf(jobId: Bytes32, party: Address, at?: ReadAt): Promise<DemandRecord | undefined> {
    const data = evidenceCodec.encode('demandOf', [jobId, party])
    const answer = await this.read(this.deployment.addresses.evidence, data, at)
    const open = await this.decode(() => evidenceCodec.decode('demandOf', answer))
    return open.id === constants.ZERO_BYTES32 ? undefined : open
  }

  async verdicts(jobId: Bytes32, party: Address, at?: ReadAt): Promise<Verdict[]> {
    const data = evidenceCodec.encode('verdictsOf', [jobId, party])
    const answer = await this.read(this.deployment.addresses.evidence, data, at)
    return this.decode(() =>
      evidenceCodec.decode('verdictsOf', answer).map((v) => ({ ...v, kind: toEvidenceKind(v.kind) })),
    )
  }
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
