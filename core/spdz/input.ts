import { g1 } from '../commitments/g1.ts'
import { commitVector } from '../commitments/pedersen.ts'
import type { CommitmentVector } from '../commitments/types.ts'
import type { FieldVector } from '../field/types.ts'
import { decodeVector, freeAuth } from '../preprocessing/auth.ts'
import { STEP } from '../preprocessing/channel.ts'
import { tossCoins } from '../preprocessing/coin.ts'
import type { AuthShare } from '../preprocessing/types.ts'
import { internals } from './party.ts'
import type { SpdzParty } from './types.ts'

/** This party's part of values at rest: Σ over the parties is the value, Σ commitments its owner's C_0. */
export interface CommittedInput {
  readonly values: FieldVector
  readonly masks: FieldVector
  /** By party: to its own values and masks. Known to all parties alike. */
  readonly commitments: readonly CommitmentVector[]
}

/**
 * ⟨x⟩ for values of which every party holds an additive part that it has been committed to. Each party inputs its part
 * through masks; then a random combination of every party's part, hidden by a random value of that party, is opened under
 * the MACs, together with the combination of its commitments' masks: g^Z_i·h^U_i = Π_k C_i,k^χ_k·S_i with
 * Z_i = Σ_k χ_k·x_i,k + s_i. So no party can put in anything but what the owners' holders have given it; one that does is
 * named (MPC_ABORTED, BAD_INPUT). Uses one mask more of each owner than there are values.
 */
export async function authenticate(party: SpdzParty, input: CommittedInput): Promise<AuthShare> {
  const { field, index } = party
  const { channel, local } = internals(party)
  const length = input.values.length
  const [s, u] = [field.random(1), field.random(1)]
  const own = field.concat([input.values, s])
  const parts: AuthShare[] = []
  for (let i = 0; i < party.parties.length; i++)
    parts.push(await party.input(i, i === index ? own : length + 1))

  const blinding = commitVector(s, u)
  const blindings = (await channel.broadcast(STEP.commit, g1.toBytes(blinding))).map((bytes, i) => {
    try {
      if (bytes.length === g1.byteLength) return g1.fromBytes(bytes)
    } catch {
      // Named below.
    }
    throw channel.blame(i, 'MALFORMED', 'sent something that is no commitment')
  })
  await channel.echo()
  const chi = field.random(length, await tossCoins(channel))
  const one = field.fromBigints([1n])
  const coefficients = field.concat([chi, one])
  const combined = parts.map((part) => local.map(part, (v) => field.inner(coefficients, v)))
  const { opened } = await party.round([], combined)
  await party.check()
  const masks = field.concat([input.masks, u])
  const mask = field.inner(coefficients, masks)
  const shown = await channel.broadcast(STEP.open, field.toMontgomery(mask))

  for (const i of party.parties.keys()) {
    const theirs = decodeVector(channel, field, i, shown[i]!, 1)
    const weighted = g1.msm(input.commitments[i]!, chi)
    const expected = g1.add(weighted, blindings[i]!)
    const actual = commitVector(opened[i]!, theirs)
    const fits = g1.equal(expected, actual)
    for (const v of [theirs, weighted, expected, actual]) v.free()
    if (fits) continue
    await party.close('an input was changed')
    throw channel.blame(i, 'BAD_INPUT', 'put in something else than the holders had given it')
  }
  const all = parts.reduce((a, b) => {
    const sum = local.add(a, b)
    freeAuth(a, b)
    return sum
  })
  const out = local.slice(all, 0, length)
  freeAuth(all, ...combined)
  for (const v of [s, u, own, chi, one, coefficients, ...opened, masks, mask]) v.free()
  for (const p of [blinding, ...blindings]) p.free()
  return out
}
