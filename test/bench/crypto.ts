import { bn254 } from '@noble/curves/bn254.js'
import { GENERATOR_H } from '../../core/commitments/generators.ts'
import { commitVector } from '../../core/commitments/pedersen.ts'
import { bn254Scalar as f } from '../../core/field/fields.ts'
import { freeCommitments } from '../../core/sharing/commitments.ts'
import { deal, freeShare } from '../../core/sharing/vss.ts'

export interface Measurement {
  name: string
  value: number
  unit: string
}

const RUNS = 7
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** Nanoseconds that each of `operations` takes in one run of `work`. */
async function timed(operations: number, work: () => unknown): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / operations
}

/** Medians over alternating runs of both, so that a change of the machine's speed meets them alike. */
async function compare(
  ours: () => Promise<number>,
  other: () => Promise<number>,
): Promise<{ ns: number; ratio: number }> {
  await ours()
  await other()
  const [a, ratios]: [number[], number[]] = [[], []]
  for (let i = 0; i < RUNS; i++) {
    const x = await ours()
    a.push(x)
    ratios.push((await other()) / x)
  }
  return { ns: median(a), ratio: median(ratios) }
}

async function multiplication(): Promise<Measurement[]> {
  const n = 1_000_000
  const sample = 20_000
  const a = f.random(n)
  const b = f.random(n)
  const x = f.toBigints(f.slice(a, 0, sample))
  const y = f.toBigints(f.slice(b, 0, sample))
  const { Fr } = bn254.fields
  const { ns, ratio } = await compare(
    () => timed(n, () => f.mul(a, b).free()),
    () =>
      timed(sample, () => {
        for (let i = 0; i < sample; i++) Fr.mul(x[i]!, y[i]!)
      }),
  )
  a.free()
  b.free()
  return [
    { name: 'kernel.mul.ns', value: ns, unit: 'ns' },
    { name: 'kernel.mul.vs_noble', value: ratio, unit: 'x' },
  ]
}

async function commitment(): Promise<Measurement[]> {
  const n = 8192
  const sample = 30
  const values = f.random(n)
  const masks = f.random(n)
  const x = f.toBigints(f.slice(values, 0, sample))
  const y = f.toBigints(f.slice(masks, 0, sample))
  const { Point } = bn254.G1
  // Noble at its best: tables for both generators, affine results.
  const G = Point.fromAffine(Point.BASE.toAffine()).precompute(8, false)
  const H = Point.fromAffine(GENERATOR_H).precompute(8, false)
  const { ns, ratio } = await compare(
    () => timed(n, () => commitVector(values, masks).free()),
    () =>
      timed(sample, () => {
        for (let i = 0; i < sample; i++) G.multiply(x[i]!).add(H.multiply(y[i]!)).toAffine()
      }),
  )
  values.free()
  masks.free()
  return [
    { name: 'pedersen.per_s', value: 1e9 / ns, unit: '1/s' },
    { name: 'pedersen.vs_noble', value: ratio, unit: 'x' },
  ]
}

/** Secrets dealt per second: polynomials, shares and commitments. */
async function dealing(n: number, t: number): Promise<Measurement[]> {
  const count = 16_384 / (t + 1)
  const secrets = f.random(Math.floor(count))
  const run = () =>
    timed(secrets.length, async () => {
      const { commitments, shares } = await deal(secrets, { n, t })
      freeCommitments(commitments)
      shares.forEach(freeShare)
    })
  await run()
  const times: number[] = []
  for (let i = 0; i < RUNS; i++) times.push(await run())
  secrets.free()
  return [{ name: `vss.n${n}t${t}.per_s`, value: 1e9 / median(times), unit: '1/s' }]
}

const GROUPS: { names: string[]; run: () => Promise<Measurement[]> }[] = [
  { names: ['kernel.mul.ns', 'kernel.mul.vs_noble'], run: multiplication },
  { names: ['pedersen.per_s', 'pedersen.vs_noble'], run: commitment },
  { names: ['vss.n5t2.per_s'], run: () => dealing(5, 2) },
  { names: ['vss.n32t15.per_s'], run: () => dealing(32, 15) },
]

/** Medians of the kernel, commitments and verifiable sharing, those whose name starts with `only`. One thread. */
export async function* cryptoBench(only = ''): AsyncGenerator<Measurement> {
  for (const { names, run } of GROUPS) {
    if (!names.some((name) => name.startsWith(only))) continue
    for (const m of await run()) if (m.name.startsWith(only)) yield m
  }
}
