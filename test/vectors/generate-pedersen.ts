// Writes pedersen-bn254.json beside this file with @noble/curves alone, independently of core/. Run: node test/vectors/generate-pedersen.ts
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { bn254 } from '@noble/curves/bn254.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

const { Point } = bn254.G1
const { Fp, Fr } = bn254.fields
type G1 = typeof Point.BASE

const label = 'enigma-vault/pedersen/bn254-g1/h/v1'
function hashToPoint(): G1 {
  for (let counter = 0; ; counter++) {
    const input = Buffer.concat([Buffer.from(label), Buffer.from([0, 0, 0, counter])])
    const x = Fp.create(BigInt(`0x${Buffer.from(keccak_256(input)).toString('hex')}`))
    try {
      const y = Fp.sqrt(Fp.add(Fp.mul(Fp.sqr(x), x), 3n))
      const small = y < Fp.neg(y) ? y : Fp.neg(y)
      return Point.fromAffine({ x, y: small })
    } catch {}
  }
}
const H = hashToPoint()
const hex = (x: bigint) => x.toString(16).padStart(64, '0')
const times = (p: G1, s: bigint) => (s === 0n ? Point.ZERO : p.multiply(s))
function encode(p: G1) {
  if (p.is0()) return { uncompressed: '0'.repeat(128), compressed: `40${'0'.repeat(62)}` }
  const { x, y } = p.toAffine()
  const flag = y > Fp.neg(y) ? 3n : 2n
  return { uncompressed: hex(x) + hex(y), compressed: hex(x | (flag << 254n)) }
}
const scalar = (name: string) => Fr.create(BigInt(`0x${createHash('sha512').update(name).digest('hex')}`))
const edge = [0n, 1n, 2n, Fr.ORDER - 1n, (Fr.ORDER - 1n) / 2n, 1n << 128n, (1n << 253n) - 1n]
const openings = [
  ...edge.map((v) => [v, 0n]),
  ...edge.map((v) => [0n, v]),
  ...edge.map((v) => [v, Fr.neg(v)]),
  ...Array.from({ length: 12 }, (_, i) => [scalar(`value ${i}`), scalar(`mask ${i}`)]),
] as [bigint, bigint][]
const vectors = openings.map(([value, mask]) => ({
  value: hex(value),
  mask: hex(mask),
  ...encode(times(Point.BASE, value).add(times(H, mask))),
}))
writeFileSync(
  new URL('pedersen-bn254.json', import.meta.url),
  `${JSON.stringify({ generator: 'test/vectors/generate-pedersen.ts', origin: '@noble/curves 2.4.0', label, h: encode(H), vectors }, null, 1)}\n`,
)
