import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { EnigmaError } from '../../core/ipc/index.ts'
import type { NetworkConfig } from '../../core/node/types.ts'

const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${digits}}$`))
    .transform((text) => text.toLowerCase() as `0x${string}`)

const networkConfig = z.strictObject({
  kind: z.enum(['devnet', 'remote']),
  rpc: z
    .array(z.url({ protocol: /^(https?|wss?)$/ }))
    .min(1)
    .max(16),
  deployment: z.strictObject({
    chainId: z.int().positive(),
    genesisHash: hex(64),
    deployBlock: z.int().nonnegative(),
    addresses: z.strictObject({
      dictionary: hex(40),
      identities: hex(40),
      predicates: hex(40),
      references: hex(40),
      registry: hex(40),
      jobs: hex(40),
      evidence: hex(40),
    }),
  }),
  bootstrap: z.array(z.string().startsWith('/').max(300)).max(100),
  confirmations: z.int().min(1).max(1000),
  localDiscovery: z.boolean().default(false),
  internet: z.boolean().default(false),
})

export function networkFile(dataDir: string): string {
  return join(dataDir, 'network.json')
}

/** Throws INVALID_ARGUMENT, naming the file and what is wrong with it, and NOT_FOUND when there is none. */
export function readNetwork(file: string): NetworkConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new EnigmaError('NOT_FOUND', `no network settings at ${file}`, {
      remedy: 'Start a local network with `enigma devnet`, or name a settings file with --network FILE.',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new EnigmaError('INVALID_ARGUMENT', `${file} is not JSON`)
  }
  const parsed = networkConfig.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `${file}: ${issue?.path.join('.') || 'document'}: ${issue?.message}`,
    )
  }
  return parsed.data
}

/** Replaces the file in one step: a reader sees the old settings or the new ones. */
export function writeNetwork(file: string, network: NetworkConfig): void {
  const next = `${file}.${process.pid}.tmp`
  writeFileSync(next, `${JSON.stringify(networkConfig.parse(network), null, 2)}\n`, { mode: 0o600 })
  renameSync(next, file)
}
