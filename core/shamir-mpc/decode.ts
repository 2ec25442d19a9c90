import type { PrimeField } from '../field/types.ts'

/**
 * Positions of the wrong values among evaluations of a polynomial of degree ≤ t, or undefined when there are
 * more than ⌊(k − t − 1) / 2⌋ (Berlekamp–Welch): find E monic of degree e and Q of degree ≤ t + e with
 * Q(x_i) = y_i·E(x_i) for all i; the wrong positions are roots of E.
 */
export function decodeErrors(
  field: PrimeField,
  xs: readonly bigint[],
  ys: readonly bigint[],
  t: number,
): number[] | undefined {
  const { reduce, mul } = field.scalar
  for (let e = Math.floor((xs.length - t - 1) / 2); e > 0; e--) {
    // Unknowns: q_0 … q_{t+e}, then e_0 … e_{e−1}; E = x^e + Σ e_k x^k.
    const rows = xs.map((x, i) => {
      const powers = [1n]
      for (let k = 1; k <= t + e; k++) powers.push(mul(powers[k - 1]!, x))
      const y = ys[i]!
      return [...powers, ...powers.slice(0, e).map((p) => reduce(-mul(y, p))), mul(y, powers[e]!)]
    })
    const solution = solve(field, rows, t + 2 * e + 1)
    if (!solution) continue
    const locator = [...solution.slice(t + e + 1), 1n]
    const at = (x: bigint) => locator.reduceRight((acc, c) => reduce(mul(acc, x) + c), 0n)
    return xs.flatMap((x, i) => (at(x) === 0n ? [i] : []))
  }
  return undefined
}

/** One solution of the augmented system by Gauss–Jordan elimination (free unknowns 0), or undefined. */
function solve(field: PrimeField, rows: bigint[][], unknowns: number): bigint[] | undefined {
  const { reduce, mul, inverse } = field.scalar
  const pivots: number[] = []
  let rank = 0
  for (let column = 0; column < unknowns && rank < rows.length; column++) {
    const found = rows.findIndex((row, i) => i >= rank && row[column] !== 0n)
    if (found < 0) continue
    const pivot = rows[found]!
    rows[found] = rows[rank]!
    const factor = inverse(pivot[column]!)
    rows[rank] = pivot.map((v) => mul(v, factor))
    rows.forEach((row, i) => {
      const by = row[column]!
      if (i !== rank && by !== 0n) rows[i] = row.map((v, k) => reduce(v - mul(by, rows[rank]![k]!)))
    })
    pivots.push(column)
    rank++
  }
  if (rows.slice(rank).some((row) => row[unknowns] !== 0n)) return undefined
  const solution = new Array<bigint>(unknowns).fill(0n)
  pivots.forEach((column, i) => {
    solution[column] = rows[i]![unknowns]!
  })
  return solution
}
