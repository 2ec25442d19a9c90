import { BgvService } from '../../../core/bgv/service.ts'
import type { AsyncBgv } from '../../../core/bgv/thread.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { LowGear, type LowGearOptions } from '../../../core/preprocessing/lowgear.ts'
import type { AuthShare } from '../../../core/preprocessing/types.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { testParameters } from '../bgv/parameters.ts'
import { unnoted } from '../spdz/dealer.ts'

export const SLOTS = 64

/** The scheme in this thread, with small insecure parameters. */
export function localBgv(): AsyncBgv {
  const service = new BgvService(testParameters(SLOTS))
  return new Proxy({} as AsyncBgv, {
    get: (_, method: string) =>
      method === 'then'
        ? undefined
        : async (...args: unknown[]) =>
            (service as unknown as Record<string, (...a: unknown[]) => unknown>)[method]!(...args),
  })
}

export const nodeId = (i: number): NodeId => `0x${(i + 1).toString(16).padStart(40, '0')}`

/** Sessions of n parties with one another, in party order. `wrap` sees each session before its party does. */
export async function sessions(
  n: number,
  wrap: (session: Session, index: number) => Session = (s) => s,
): Promise<{ parties: NodeId[]; sessions: Session[] }> {
  const network = new MemoryNetwork()
  const parties = Array.from({ length: n }, (_, i) => nodeId(i))
  const nodes = parties.map((id) => network.join(id))
  const opened = await Promise.all(
    nodes.map((node) =>
      node.openSession(
        'preprocessing',
        parties.filter((other) => other !== node.self),
      ),
    ),
  )
  return { parties, sessions: opened.map(wrap) }
}

/** LowGear of n parties in one process. */
export async function startAll(
  n: number,
  options: {
    wrap?: (session: Session, index: number) => Session
    bgv?: (index: number) => AsyncBgv
    party?: (index: number) => Partial<LowGearOptions>
  } = {},
): Promise<LowGear[]> {
  const { parties, sessions: opened } = await sessions(n, options.wrap)
  return Promise.all(
    opened.map((session, index) =>
      LowGear.start({
        field,
        slots: SLOTS,
        bgv: options.bgv?.(index) ?? localBgv(),
        session,
        parties,
        index,
        checks: () => unnoted,
        timeoutMs: 5000,
        ...options.party?.(index),
      }),
    ),
  )
}

export function sum(vectors: readonly FieldVector[]): FieldVector {
  return field.linear(
    vectors.map(() => 1n),
    vectors,
  )
}

/** The value of an authenticated vector, and whether its MACs are right. */
export function reveal(parties: readonly LowGear[], shares: readonly AuthShare[]) {
  const value = sum(shares.map((s) => s.share))
  const alpha = sum(parties.map((p) => p.macKey))
  const valid = field.equal(sum(shares.map((s) => s.mac)), field.mul(value, alpha))
  return { value, valid }
}
