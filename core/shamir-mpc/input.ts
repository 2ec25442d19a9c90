import { turn } from '../base/turns.ts'
import type { FieldVector } from '../field/types.ts'
import { shareVector } from '../sharing/shamir.ts'
import { type ReducerOptions, readElements } from './reduction.ts'
import { KIND } from './wire.ts'

/** Deals the values of this party to the committee; returns its own share. */
export async function sendInput(o: ReducerOptions, values: FieldVector): Promise<FieldVector> {
  const { field, channel, n, t, index, chunk } = o
  const round = channel.nextRound()
  const parts: FieldVector[] = []
  for (let offset = 0; offset < values.length; offset += chunk) {
    await turn()
    const length = Math.min(chunk, values.length - offset)
    const piece = field.slice(values, offset, offset + length)
    const shares = shareVector(field, piece, { n, t })
    piece.free()
    await Promise.all(
      shares.map(async (share, to) => {
        if (to === index) return
        await channel.send(to, KIND.input, round, offset, length, field.toBytes(share))
        share.free()
      }),
    )
    parts.push(shares[index]!)
  }
  return joined(o, parts)
}

/** The share of a value that another party deals. */
export async function receiveInput(o: ReducerOptions, owner: number, count: number): Promise<FieldVector> {
  const { field, channel, chunk } = o
  const round = channel.nextRound()
  const parts: FieldVector[] = []
  for (let offset = 0; offset < count; offset += chunk) {
    const length = Math.min(chunk, count - offset)
    const expected = { kind: KIND.input, round, offset, count: length, bytes: length * field.byteLength }
    parts.push(readElements(field, channel, await channel.receive(owner, expected), owner, round))
  }
  return joined(o, parts)
}

function joined({ field }: ReducerOptions, parts: FieldVector[]): FieldVector {
  if (parts.length === 1) return parts[0]!
  const out = field.concat(parts)
  for (const p of parts) p.free()
  return out
}
