import { Prg } from '../../../core/base/random.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import type { AuthShare, CheckMark, Epoch, MaterialSource } from '../../../core/preprocessing/types.ts'
import type { NodeId } from '../../../core/transport/types.ts'

/** Notes no MAC checks. */
export const unnoted: CheckMark = { begin: () => undefined, pass: () => undefined }

/**
 * A trusted dealer, for tests only: every party draws the same stream and takes its own part of correct material. Quick
 * enough for benches; knows every secret.
 */
export function deal(parties: readonly NodeId[], seed = 1): (MaterialSource & { destroyed?: string })[] {
  return parties.map((_, index) => dealOne(parties, index, seed))
}

export function dealOne(
  parties: readonly NodeId[],
  index: number,
  seed = 1,
  /** Of material under the same MAC key. */
  batch = 0,
): MaterialSource & { destroyed?: string } {
  const n = parties.length
  const stream = (name: number) => {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setUint32(0, seed)
    bytes[4] = name
    bytes[5] = name === 0 ? 0 : batch
    return new Prg(bytes)
  }
  const keys = stream(0)
  const alphas = parties.map(() => field.random(1, keys))
  const alpha = alphas.reduce((a, b) => field.add(a, b))
  const epoch: Epoch = { id: `test-${seed}`, parties, index }
  const streams = new Map<string, Prg>()
  const prg = (kind: string) => {
    const known = streams.get(kind) ?? stream(1 + kind.length * 16 + kind.charCodeAt(0))
    streams.set(kind, known)
    return known
  }
  /** Party i's part of ⟨x⟩; all parties draw the same. */
  const share = (x: FieldVector, random: Prg): AuthShare => {
    const split = (value: FieldVector) => {
      const parts = Array.from({ length: n - 1 }, () => field.random(value.length, random))
      const rest = parts.reduce((a, b) => field.sub(a, b), value)
      return [...parts, rest][index]!
    }
    return { share: split(x), mac: split(field.mul(x, alpha)) }
  }
  const source: MaterialSource & { destroyed?: string } = {
    epoch,
    macKey: alphas[index]!,
    async triples(count) {
      const random = prg('triple')
      const [a, b] = [field.random(count, random), field.random(count, random)]
      return { a: share(a, random), b: share(b, random), c: share(field.mul(a, b), random) }
    },
    async squares(count) {
      const random = prg('square')
      const a = field.random(count, random)
      return { a: share(a, random), c: share(field.mul(a, a), random) }
    },
    async inverses(count) {
      const random = prg('inverse')
      const a = field.random(count, random)
      return { a: share(a, random), inverse: share(field.inverse(a), random) }
    },
    async bits(count) {
      const random = prg('bit')
      const bits = Array.from(random.bytes(count), (b) => BigInt(b & 1))
      return share(field.fromBigints(bits), random)
    },
    async randoms(count) {
      const random = prg('random')
      return share(field.random(count, random), random)
    },
    async masks(owner, count) {
      const random = prg(`mask${'/'.repeat(owner)}`)
      const clear = field.random(count, random)
      return { shares: share(clear, random), ...(owner === index ? { clear } : {}) }
    },
    checks: unnoted,
    async destroy(reason) {
      source.destroyed = reason
    },
  }
  return source
}
