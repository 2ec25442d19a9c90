import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import type { BuiltProgram } from '../../../core/circuits/types.ts'

/** Everything a program can do: products, inner products, bits, random elements, openings, public values. */
export function mixed(): BuiltProgram {
  const b = new CircuitBuilder()
  const x = b.input(4)
  const y = b.input(4)
  const p = b.param(4)
  const product = b.mul(b.add(x, p), b.sub(b.constant([9n, 8n, 7n, 6n]), y))
  const inner = b.inner(product, y)
  const bits = b.bits(4)
  // x + b − b and x·ρ/ρ: what is masked comes back.
  const masked = b.open(b.add(b.scale(bits, 2n), b.mul(bits, bits)))
  const clear = b.sub(b.add(x, b.scale(bits, 3n)), masked)
  const rho = b.random(1)
  const opened = b.open(b.mul(rho, b.sum(b.random(2))))
  const one = b.mul(b.inverse(opened), opened)
  const wide = b.mul(b.broadcast(inner, 4), b.neg(clear))
  const picked = b.blocks(wide, 2, [1, 0, 1, 1])
  const joined = b.concat([b.slice(picked, 1, 5), b.mul(inner, one), b.sum(b.mul(p, x))])
  return { circuit: b.output(joined).output(product).build(), params: [[1n, 2n, 3n, 4n]] }
}

/** What `mixed` computes. */
export function mixedResult(x: readonly bigint[], y: readonly bigint[], modulus: bigint): bigint[] {
  const p = [1n, 2n, 3n, 4n]
  const product = x.map((v, i) => (v + p[i]!) * ([9n, 8n, 7n, 6n][i]! - y[i]!))
  const inner = product.reduce((s, v, i) => s + v * y[i]!, 0n)
  const wide = x.map((v) => -v * inner)
  const total = x.reduce((s, v, i) => s + v * p[i]!, 0n)
  return [wide[3]!, wide[0]!, wide[1]!, wide[2]!, inner, total, ...product].map(
    (v) => ((v % modulus) + modulus) % modulus,
  )
}
