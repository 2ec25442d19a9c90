/** The canonical representative. */
export function modulo(x: bigint, m: bigint): bigint {
  const r = x % m
  return r < 0n ? r + m : r
}

/** The representative in (−q/2, q/2) as a number. */
export function balanced(x: bigint, q: bigint): number {
  const r = modulo(x, q)
  return Number(r > q / 2n ? r - q : r)
}

function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let [result, square] = [1n, modulo(base, m)]
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % m
    square = (square * square) % m
  }
  return result
}

export function inverse(x: bigint, prime: bigint): bigint {
  return power(x, prime - 2n, prime)
}

/** base⁰ … base^(count − 1). */
export function powersOf(base: bigint, m: bigint, count: number): bigint[] {
  const out = [1n]
  for (let i = 1; i < count; i++) out.push((out[i - 1]! * base) % m)
  return out
}

/** ψ modulo the prime q with ψ^n = −1. */
export function primitiveRoot(q: bigint, n: number): bigint {
  for (let g = 2n; ; g++) {
    const psi = power(g, (q - 1n) / BigInt(2 * n), q)
    if (power(psi, BigInt(n), q) === q - 1n) return psi
  }
}

/** The `count` largest primes below 2^bits that are ≡ 1 mod 2N (Miller–Rabin, bases 2 to 37: exact below 2^64). */
export function ringPrimes(n: number, bits: number, count: number): bigint[] {
  const step = BigInt(2 * n)
  const found: bigint[] = []
  for (let q = (((1n << BigInt(bits)) - 2n) / step) * step + 1n; found.length < count; q -= step)
    if (isPrime(q)) found.push(q)
  return found
}

function isPrime(q: bigint): boolean {
  const s = (() => {
    let k = 0n
    while ((((q - 1n) >> k) & 1n) === 0n) k++
    return k
  })()
  const d = (q - 1n) >> s
  return [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n].every((base) => {
    if (q % base === 0n) return q === base
    let x = power(base, d, q)
    if (x === 1n || x === q - 1n) return true
    for (let i = 1n; i < s; i++) {
      x = (x * x) % q
      if (x === q - 1n) return true
    }
    return false
  })
}
