import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { joinSpdz } from '../../../core/spdz/party.ts'
import type { SpdzOptions, SpdzParty } from '../../../core/spdz/types.ts'
import type { Session } from '../../../core/transport/types.ts'
import { sessions } from '../preprocessing/committee.ts'
import { deal } from './dealer.ts'

export { field }

export interface TestCommittee {
  readonly parties: SpdzParty[]
  readonly materials: ReturnType<typeof deal>
  /** The same call at every party. */
  all<T>(call: (party: SpdzParty, index: number) => Promise<T>): Promise<T[]>
  close(): Promise<void>
}

export async function openCommittee(
  n: number,
  options: {
    seed?: number
    wrap?: (session: Session, index: number) => Session
    party?: (index: number) => Partial<SpdzOptions>
  } = {},
): Promise<TestCommittee> {
  const opened = await sessions(n, options.wrap)
  const materials = deal(opened.parties, options.seed)
  const parties = await Promise.all(
    opened.sessions.map((session, index) =>
      joinSpdz({
        field,
        session,
        parties: opened.parties,
        material: materials[index]!,
        roundTimeoutMs: 2000,
        ...options.party?.(index),
      }),
    ),
  )
  return {
    parties,
    materials,
    all: (call) => Promise.all(parties.map(call)),
    close: async () => void (await Promise.all(parties.map((p) => p.close()))),
  }
}

export const bigints = (v: FieldVector) => field.toBigints(v)
