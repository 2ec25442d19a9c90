import { expect, it } from 'vitest'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { outputShares, reconstructOutput } from '../../../core/spdz/output.ts'
import { joinSpdz } from '../../../core/spdz/party.ts'
import { sessions } from '../../unit/preprocessing/committee.ts'
import { deal } from '../../unit/spdz/dealer.ts'

const TRIALS = 150

/**
 * The cheat guesses the secret and makes an error that would cancel if it were right, in what the requester gets: were the
 * check w = ρ·y alone, a right guess of y would pass and a wrong one not (eprint 2015/1006).
 */
async function refused(secret: bigint, guess: bigint, seed: number): Promise<boolean> {
  const { parties, sessions: opened } = await sessions(2)
  const materials = deal(parties, seed)
  const parts = await Promise.all(
    opened.map(async (session, index) => {
      const material = materials[index]!
      const party = await joinSpdz({ field, session, parties, material, roundTimeoutMs: 3000 })
      const y = await party.input(0, index === 0 ? field.fromBigints([secret]) : 1)
      return outputShares(party, material, y)
    }),
  )
  // y, ρ, v, w, u: ρ + 1 and w + guess fit together exactly when y is the guess.
  const error = field.fromBigints([0n, 1n, 0n, guess, 0n])
  parts[1] = field.add(parts[1]!, error)
  try {
    reconstructOutput(field, parts)
    return false
  } catch {
    return true
  }
}

it('aborts do not depend on secrets: right guesses are refused as wrong ones are', {
  timeout: 60_000,
}, async () => {
  let [right, wrong] = [0, 0]
  for (let i = 0; i < TRIALS; i++) {
    if (await refused(BigInt(i % 2), BigInt(i % 2), 2 * i)) right++
    if (await refused(BigInt(i % 2), BigInt(1 - (i % 2)), 2 * i + 1)) wrong++
  }
  expect([right, wrong]).toEqual([TRIALS, TRIALS])
})
