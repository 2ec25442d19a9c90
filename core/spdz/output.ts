import { EnigmaError } from '../base/errors.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { freeAuth } from '../preprocessing/auth.ts'
import type { AuthShare, MaterialSource } from '../preprocessing/types.ts'
import { internals } from './party.ts'
import type { SpdzParty } from './types.ts'

/**
 * This party's part of a result that only the requester shall learn: shares of y, ρ, v, w = ρ·y and u = v·ρ, as
 * 2·length + 3 elements (Damgård et al., eprint 2015/1006). MACs of everything before are checked first. The requester
 * adds up the parts of all parties; whoever changes its part is noticed with probability 1 − 2/r, whatever y is.
 */
export async function outputShares(
  party: SpdzParty,
  material: MaterialSource,
  y: AuthShare,
): Promise<FieldVector> {
  const { local } = internals(party)
  const { field } = party
  const masks = await material.randoms(2)
  const rho = local.slice(masks, 0, 1)
  const v = local.slice(masks, 1, 2)
  const { products } = await party.round(
    [
      { op: 'mul', a: y, b: rho },
      { op: 'mul', a: v, b: rho },
    ],
    [],
  )
  const [w, u] = products as [AuthShare, AuthShare]
  await party.check()
  const out = field.concat([y.share, rho.share, v.share, w.share, u.share])
  freeAuth(masks, rho, v, w, u)
  return out
}

/**
 * The result from the parts of all parties, as `outputShares` makes them. Throws MPC_ABORTED (reason BAD_OUTPUT) when they do
 * not fit together, LENGTH_MISMATCH.
 */
export function reconstructOutput(field: PrimeField, parts: readonly FieldVector[]): FieldVector {
  const length = ((parts[0]?.length ?? 0) - 3) / 2
  if (!Number.isInteger(length) || length < 1 || parts.some((p) => p.length !== 2 * length + 3))
    throw new EnigmaError('LENGTH_MISMATCH', 'the parts of a result differ in length')
  const sum = field.linear(
    parts.map(() => 1n),
    parts,
  )
  const part = (from: number, to: number) => field.slice(sum, from, to)
  const [y, rho, v] = [part(0, length), part(length, length + 1), part(length + 1, length + 2)]
  const [w, u] = [part(length + 2, 2 * length + 2), part(2 * length + 2, 2 * length + 3)]
  const expected = [field.mul(y, rho), field.mul(v, rho)] as const
  const valid = field.equal(expected[0], w) && field.equal(expected[1], u)
  for (const vector of [sum, rho, v, w, u, ...expected]) vector.free()
  if (valid) return y
  y.free()
  throw new EnigmaError('MPC_ABORTED', 'a member of the committee sent a wrong part of the result', {
    details: { reason: 'BAD_OUTPUT' },
    remedy: 'Nothing wrong was accepted. Request the computation again.',
  })
}
