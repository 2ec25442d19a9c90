import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex, utf8 } from '../../../core/base/bytes.ts'
import { randomBytes } from '../../../core/base/random.ts'
import { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import { Devnet } from '../../../core/ledger/devnet.ts'
import { localNodeKey, localSigner } from '../../../core/ledger/signers.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../../core/ledger/stores.ts'
import type {
  Address,
  Bytes32,
  LedgerClientOptions,
  LedgerModules,
  ReferenceInput,
  Signer,
} from '../../../core/ledger/types.ts'
import { encodePredicate, predicateId } from '../../../core/predicates/codec.ts'
import type { Predicate } from '../../../core/predicates/types.ts'

/** G1's generator: a valid C_0. */
export const POINT = `0x${'1'.padStart(64, '0')}${'2'.padStart(64, '0')}` as const
export const FUNCTION = toHex(new Uint8Array(32).fill(7)) as Bytes32

export interface TestChain extends AsyncDisposable {
  devnet: Devnet
  directory: string
  client(options?: Partial<LedgerClientOptions>, modules?: Partial<LedgerModules>): Promise<LedgerClient>
  rpc<T = unknown>(method: string, params?: unknown[]): Promise<T>
}

/** A devnet of one's own in a temporary directory; clients stop with it. */
export async function startChain(
  options: { unbondingSeconds?: number; saveMs?: number } = {},
): Promise<TestChain> {
  const directory = await mkdtemp(join(tmpdir(), 'enigma-ledger-'))
  const { unbondingSeconds = 60, saveMs } = options
  const devnet = await Devnet.start({
    directory,
    parameters: { unbondingSeconds },
    ...(saveMs === undefined ? {} : { saveMs }),
  })
  const clients: LedgerClient[] = []
  return {
    devnet,
    directory,
    async client(clientOptions = {}, modules = {}) {
      const client = new LedgerClient(
        {
          endpoints: [devnet.endpoint],
          deployment: devnet.deployment,
          confirmations: 1,
          pollMs: 25,
          ...clientOptions,
        },
        { cursors: new MemoryCursorStore(), outbox: new MemoryOutboxStore(), ...modules },
      )
      await client.start()
      clients.push(client)
      return client
    },
    rpc: (method, params = []) => rpc(devnet.endpoint, method, params),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((c) => c.stop()))
      await devnet.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

let id = 0
export async function rpc<T>(endpoint: string, method: string, params: unknown[] = []): Promise<T> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
  })
  const answer = (await response.json()) as { result: T; error?: { message: string } }
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

export function newSigner(): Signer {
  return localSigner(randomBytes(32))
}

export function newNodeKey() {
  return localNodeKey(randomBytes(32))
}

export async function fundedSigner(client: LedgerClient): Promise<Signer> {
  const signer = newSigner()
  await client.faucet(signer.address)
  return signer
}

/** A pseudonym of the signer and, published, the given predicates. */
export async function pseudonym(client: LedgerClient, signer: Signer): Promise<Address> {
  await client.createIdentity(signer, [{ account: signer.address, roles: 1n }], ZERO_BYTES32)
  return client.identityAddress([signer.address])
}

export async function publish(client: LedgerClient, signer: Signer, predicate: Predicate): Promise<Bytes32> {
  const encoding = encodePredicate(predicate)
  await client.publishPredicate(signer, encoding)
  return predicateId(encoding)
}

export function randomWord(): Bytes32 {
  return toHex(randomBytes(32))
}

export function referenceInput(
  identity: Address,
  computePredicate: Bytes32,
  rest: Partial<ReferenceInput> = {},
): ReferenceInput {
  return {
    identity,
    xRef: randomWord(),
    kind: 'share',
    length: 1,
    n: 5,
    t: 2,
    computePredicate,
    readPredicate: ZERO_BYTES32,
    commitmentsDigest: randomWord(),
    c0: POINT,
    ...rest,
  }
}

export function jobRequest(refs: Bytes32[], rest: object = {}) {
  return {
    functionId: FUNCTION,
    params: utf8('{}'),
    refs,
    resultKey: newNodeKey().publicKey,
    committeeSize: 3,
    threshold: 1,
    deadline: Math.floor(Date.now() / 1000) + 3600,
    salt: randomWord(),
    ...rest,
  }
}
