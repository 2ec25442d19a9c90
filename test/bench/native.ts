import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prg } from '../../core/base/random.ts'
import { g1 } from '../../core/commitments/g1.ts'
import { commitVector } from '../../core/commitments/pedersen.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import { ringPrimes } from '../../core/kernel/primes.ts'
import { RnsRing } from '../../core/kernel/ring.ts'
import { type Figure, median } from './children.ts'

const N = 32_768

/**
 * The ring and the curve of the kernel, and its multiplication beside the same in C (`vs_c`: the time in C over ours, below 1
 * where C is faster), which is compiled if there is a compiler.
 */
export async function* nativeBench(only = ''): AsyncGenerator<Figure> {
  const wanted = ['kernel.mul.vs_c', 'ntt', 'msm'].filter(
    (name) => name.startsWith(only) || only.startsWith(name),
  )
  if (wanted.length === 0) return
  const [prime] = ringPrimes(N, 49, 1) as [bigint]
  const c = inC(prime)
  if (wanted.includes('kernel.mul.vs_c')) {
    const [a, b] = [field.random(1_000_000), field.random(1_000_000)]
    const ns = median(timed(9, () => field.mul(a, b).free())) / a.length
    if (c !== undefined) yield { name: 'kernel.mul.vs_c', value: c.mul / ns, unit: 'x' }
  }
  if (wanted.includes('ntt')) {
    const ring = new RnsRing(N, [prime], field.modulus)
    const a = ring.uniform(new Prg())
    const us = median(timed(101, () => ring.forward(a))) / 1000
    yield { name: 'ntt.us', value: us, unit: 'us' }
    if (c !== undefined) yield { name: 'ntt.vs_c', value: c.ntt / us, unit: 'x' }
  }
  if (wanted.includes('msm')) {
    const points = commitVector(field.random(N), field.random(N))
    const scalars = field.random(N)
    const us = median(timed(5, () => g1.msm(points, scalars).free())) / 1000
    yield { name: 'msm.us_per_term', value: us / N, unit: 'us' }
  }
}

/** Nanoseconds of each run, after one that does not count. */
function timed(runs: number, work: () => unknown): number[] {
  work()
  return Array.from({ length: runs }, () => {
    const start = process.hrtime.bigint()
    work()
    return Number(process.hrtime.bigint() - start)
  })
}

/** Nanoseconds a multiplication and microseconds a transform. */
function inC(prime: bigint): { mul: number; ntt: number } | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'enigma-bench-'))
  try {
    const program = join(dir, 'native')
    const source = join(import.meta.dirname, 'native.c')
    try {
      execFileSync('cc', ['-O3', '-march=native', '-fno-math-errno', '-o', program, source, '-lm'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    } catch (error) {
      console.error(`not run: vs_c, no C compiler (${(error as Error).message.split('\n')[0]})`)
      return undefined
    }
    const lines = execFileSync(program, [String(prime)], { encoding: 'utf8' }).split('\n')
    const figure = (name: string) => Number(lines.find((l) => l.startsWith(name))?.split(' ')[1])
    return { mul: figure('mul'), ntt: figure('ntt') }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
