import { EnigmaError, hasCode } from '../base/errors.ts'
import type { FieldVector } from '../field/types.ts'
import type { Reason } from './channel.ts'
import { reconstructOutput } from './output.ts'
import { type ReducerOptions, readElements } from './reduction.ts'
import type { OutputShare } from './types.ts'
import { KIND } from './wire.ts'

/**
 * Opens a sharing of degree t to the whole committee: everyone sends its share to everyone, and all n shares
 * must lie on one polynomial; a wrong one that decoding can name is blamed (MPC_ABORTED, INCONSISTENT).
 */
export async function openAll(o: ReducerOptions, share: FieldVector): Promise<FieldVector> {
  const { field, channel, n, index, chunk } = o
  const round = channel.nextRound()
  const peers = Array.from({ length: n }, (_, j) => j).filter((j) => j !== index)
  const parts: FieldVector[] = []
  for (let offset = 0; offset < share.length; offset += chunk) {
    const length = Math.min(chunk, share.length - offset)
    const mine = field.slice(share, offset, offset + length)
    const bytes = field.toBytes(mine)
    const sends = peers.map((to) => channel.send(to, KIND.open, round, offset, length, bytes))
    const expected = { kind: KIND.open, round, offset, count: length, bytes: length * field.byteLength }
    const receives = peers.map(async (from) => ({
      index: from,
      values: readElements(field, channel, await channel.receive(from, expected), from, round),
    }))
    const [shares] = await Promise.all([Promise.all(receives), Promise.all(sends)])
    parts.push(await agreed(o, [{ index, values: mine }, ...shares], round))
    for (const s of shares) s.values.free()
    mine.free()
  }
  const out = field.concat(parts)
  for (const p of parts) p.free()
  return out
}

async function agreed(o: ReducerOptions, shares: OutputShare[], round: number): Promise<FieldVector> {
  const { values, inconsistent } = await reconstructOutput(o.field, shares, o.t).catch((cause: unknown) => {
    if (!hasCode(cause, 'SHARE_INVALID')) throw cause
    throw new EnigmaError('MPC_ABORTED', `the shares of an opening disagree (round ${round})`, {
      details: { round, reason: 'INCONSISTENT' satisfies Reason },
      cause,
    })
  })
  const culprit = inconsistent[0]
  if (culprit === undefined) return values
  values.free()
  throw o.channel.blame(culprit, round, 'INCONSISTENT', 'opened a share that does not fit the others')
}
