import { Interface, type ParamType } from 'ethers'
import {
  type DictionaryEvents,
  type DictionaryReads,
  type DictionaryWrites,
  dictionaryAbi,
  type EvidenceEvents,
  type EvidenceReads,
  type EvidenceWrites,
  evidenceAbi,
  type IdentitiesEvents,
  type IdentitiesReads,
  type IdentitiesWrites,
  identitiesAbi,
  type JobsEvents,
  type JobsReads,
  type JobsWrites,
  jobsAbi,
  type NodeRegistryEvents,
  type NodeRegistryReads,
  type NodeRegistryWrites,
  nodeRegistryAbi,
  type PredicatesEvents,
  type PredicatesReads,
  type PredicatesWrites,
  predicatesAbi,
  type ReferencesEvents,
  type ReferencesReads,
  type ReferencesWrites,
  referencesAbi,
} from './generated/contracts.ts'
import type { Hex } from './types.ts'

type Args<F> = F extends { args: infer A } ? A : never
type Result<F> = F extends { result: infer R } ? R : never
export type DecodedEvent<E> = { [K in keyof E & string]: { name: K; args: E[K] } }[keyof E & string]

/** Typed calldata, results and events of one contract. Malformed data of an endpoint throws. */
export class ContractCodec<Reads, Writes, Events> {
  readonly abi: Interface

  constructor(abi: readonly object[]) {
    this.abi = new Interface(abi as never)
  }

  encode<K extends keyof (Reads & Writes) & string>(name: K, args: Args<(Reads & Writes)[K]>): Hex {
    return this.abi.encodeFunctionData(name, args as never) as Hex
  }

  decode<K extends keyof Reads & string>(name: K, data: Hex): Result<Reads[K]> {
    const outputs = this.abi.getFunction(name)!.outputs
    const values = this.abi.decodeFunctionResult(name, data)
    const plain = outputs.map((type, i) => toPlain(type, values[i]))
    return (plain.length === 1 ? plain[0] : plain) as Result<Reads[K]>
  }

  /** Undefined for events this contract does not declare. */
  decodeEvent(topics: Hex[], data: Hex): DecodedEvent<Events> | undefined {
    const event = topics[0] === undefined ? null : this.abi.getEvent(topics[0])
    if (!event) return undefined
    const values = this.abi.decodeEventLog(event, data, topics)
    const args = Object.fromEntries(event.inputs.map((type, i) => [type.name, toPlain(type, values[i])]))
    return { name: event.name, args } as DecodedEvent<Events>
  }

  topic(name: keyof Events & string): Hex {
    return this.abi.getEvent(name)!.topicHash as Hex
  }
}

/** Plain values as scripts/build-contracts.ts types them: numbers up to 48 bits, lower-case hex. */
function toPlain(type: ParamType, value: unknown): unknown {
  if (type.isArray()) return Array.from(value as Iterable<unknown>, (v) => toPlain(type.arrayChildren, v))
  if (type.isTuple()) {
    const list = Array.from(value as Iterable<unknown>)
    return Object.fromEntries(type.components.map((c, i) => [c.name, toPlain(c, list[i])]))
  }
  const integer = /^u?int(\d+)$/.exec(type.type)
  if (integer) return Number(integer[1]) <= 48 ? Number(value) : (value as bigint)
  if (type.type === 'address' || type.type.startsWith('bytes')) return (value as string).toLowerCase()
  return value
}

export const dictionaryCodec = new ContractCodec<DictionaryReads, DictionaryWrites, DictionaryEvents>(
  dictionaryAbi,
)
export const identitiesCodec = new ContractCodec<IdentitiesReads, IdentitiesWrites, IdentitiesEvents>(
  identitiesAbi,
)
export const predicatesCodec = new ContractCodec<PredicatesReads, PredicatesWrites, PredicatesEvents>(
  predicatesAbi,
)
export const referencesCodec = new ContractCodec<ReferencesReads, ReferencesWrites, ReferencesEvents>(
  referencesAbi,
)
export const registryCodec = new ContractCodec<NodeRegistryReads, NodeRegistryWrites, NodeRegistryEvents>(
  nodeRegistryAbi,
)
export const jobsCodec = new ContractCodec<JobsReads, JobsWrites, JobsEvents>(jobsAbi)
export const evidenceCodec = new ContractCodec<EvidenceReads, EvidenceWrites, EvidenceEvents>(evidenceAbi)

export const CODECS = {
  dictionary: dictionaryCodec,
  identities: identitiesCodec,
  predicates: predicatesCodec,
  references: referencesCodec,
  registry: registryCodec,
  jobs: jobsCodec,
  evidence: evidenceCodec,
} as const
