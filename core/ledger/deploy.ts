import { AbiCoder, concat, getCreateAddress, keccak256 } from 'ethers'
import { z } from 'zod'
import { type Clock, systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { day, second } from '../base/units.ts'
import {
  dictionaryBytecode,
  evidenceBytecode,
  identitiesBytecode,
  jobsBytecode,
  nodeRegistryBytecode,
  predicatesBytecode,
  referencesBytecode,
} from './generated/contracts.ts'
import { Rpc } from './rpc.ts'
import type { Address, Hex, LedgerDeployment, Signer } from './types.ts'

export interface DeployParameters {
  /** Wei a node stakes at least. */
  minimumDepositWei: bigint
  /** Seconds between unbonding and withdrawal. */
  unbondingSeconds: number
  /** Seconds a node has to answer a demand. */
  answerSeconds: number
}

export const DEFAULT_DEPLOY_PARAMETERS: DeployParameters = {
  minimumDepositWei: 10n ** 18n,
  unbondingSeconds: (7 * day) / second,
  answerSeconds: day / second,
}

const count = z.string().transform(Number)

/**
 * Deploys the ledger from an account with seven transactions. The addresses follow from the account and its
 * nonce; what is already at them is kept, so an interrupted deployment continues when called again with the
 * same `firstNonce`.
 */
export async function deployLedger(
  endpoint: string,
  signer: Signer & { signDeployment(tx: DeploymentTransaction): Promise<Hex> },
  parameters: DeployParameters = DEFAULT_DEPLOY_PARAMETERS,
  options: { firstNonce?: number; clock?: Clock } = {},
): Promise<LedgerDeployment> {
  const clock = options.clock ?? systemClock
  const { chainId, genesisHash } = await probeChain(endpoint)
  const rpc = new Rpc({
    endpoints: [endpoint],
    deployment: { chainId, genesisHash },
    requestTimeoutMs: 30 * second,
    log: silentLog,
  })
  const firstNonce = options.firstNonce ?? (await rpc.nonce(signer.address))
  const address = (i: number) =>
    getCreateAddress({ from: signer.address, nonce: firstNonce + i }).toLowerCase() as Address
  const addresses = {
    dictionary: address(0),
    identities: address(1),
    predicates: address(2),
    registry: address(3),
    references: address(4),
    jobs: address(5),
    evidence: address(6),
  }
  const encode = (types: string[], values: unknown[]) => AbiCoder.defaultAbiCoder().encode(types, values)
  const creations = [
    dictionaryBytecode,
    concat([identitiesBytecode, encode(['address'], [addresses.dictionary])]),
    concat([predicatesBytecode, encode(['address'], [addresses.identities])]),
    concat([
      nodeRegistryBytecode,
      encode(['uint256', 'uint256'], [parameters.minimumDepositWei, parameters.unbondingSeconds]),
    ]),
    concat([
      referencesBytecode,
      encode(['address', 'address', 'address'], [addresses.identities, addresses.predicates, addresses.jobs]),
    ]),
    concat([jobsBytecode, encode(['address', 'address'], [addresses.references, addresses.registry])]),
    concat([
      evidenceBytecode,
      encode(
        ['address', 'address', 'uint256'],
        [addresses.registry, addresses.jobs, parameters.answerSeconds],
      ),
    ]),
  ] as Hex[]
  let deployBlock: number | undefined
  for (const [i, data] of creations.entries()) {
    if ((await rpc.code(address(i))) !== '0x') continue
    const head = await rpc.head()
    const tip = await rpc.gasTip()
    const raw = await signer.signDeployment({
      chainId,
      nonce: firstNonce + i,
      data,
      gasLimit: 6_000_000n,
      maxFeePerGas: (head.baseFeePerGas ?? 0n) * 2n + tip,
      maxPriorityFeePerGas: tip,
    })
    await rpc.sendRaw(raw)
    const hash = keccak256(raw) as Hex
    let receipt = await rpc.receipt(hash)
    while (!receipt) {
      await clock.sleep(100)
      receipt = await rpc.receipt(hash)
    }
    if (receipt.status !== 1n || (await rpc.code(address(i))) === '0x')
      throw new EnigmaError(
        'LEDGER_REVERTED',
        `contract ${i + 1} of ${creations.length} could not be deployed`,
      )
    deployBlock ??= receipt.blockNumber
  }
  rpc.close()
  return { chainId, genesisHash, deployBlock: deployBlock ?? 1, addresses }
}

export interface DeploymentTransaction {
  chainId: number
  nonce: number
  data: Hex
  gasLimit: bigint
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

/** Chain id and genesis hash of an endpoint. */
export async function probeChain(
  endpoint: string,
  timeoutMs = 10 * second,
): Promise<{ chainId: number; genesisHash: Hex }> {
  const ask = async <T>(method: string, params: unknown[], schema: z.ZodType<T>): Promise<T> => {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return z.object({ result: schema }).parse(await response.json()).result as T
    } catch (error) {
      throw new EnigmaError('LEDGER_UNREACHABLE', `${endpoint} did not answer ${method}`, { cause: error })
    }
  }
  const chainId = await ask('eth_chainId', [], count)
  const block = z.object({ hash: z.string().regex(/^0x[0-9a-fA-F]{64}$/) })
  const genesis = await ask('eth_getBlockByNumber', ['0x0', false], block)
  return { chainId, genesisHash: genesis.hash.toLowerCase() as Hex }
}
