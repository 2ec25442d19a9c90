import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { requireRuntime } from './runtime.ts'

/** One figure, a median. */
export interface Figure {
  name: string
  value: number
  unit: string
}
/** Measures what starts with `only` (everything, when undefined), figure by figure. */
export type Bench = (only?: string) => AsyncIterable<Figure> | Iterable<Figure>

/** File under test/bench, and the generator that it exports. */
const BENCHES = [
  ['crypto.ts', 'cryptoBench'],
  ['native.ts', 'nativeBench'],
  ['mpc.ts', 'mpcBench'],
  ['spdz.ts', 'spdzBench'],
  ['system.ts', 'systemBench'],
  ['nodes.ts', 'nodesBench'],
  ['audit.ts', 'auditBench'],
  ['gas.ts', 'gasBench'],
  ['jiff.ts', 'jiffBench'],
] as const

requireRuntime()
const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } })
let printed = 0
for (const [file, name] of BENCHES) {
  const path = join(import.meta.dirname, '..', 'test', 'bench', file)
  if (!existsSync(path)) {
    console.error(`not run: test/bench/${file} is missing`)
    continue
  }
  const module = (await import(pathToFileURL(path).href)) as Record<string, Bench | undefined>
  const bench = module[name]
  if (bench === undefined) {
    console.error(`not run: test/bench/${file} has no ${name}`)
    continue
  }
  for await (const figure of bench(values.only)) {
    if (values.only !== undefined && !figure.name.startsWith(values.only)) continue
    printed++
    console.log(
      values.json
        ? JSON.stringify({ name: figure.name, value: figure.value, unit: figure.unit })
        : `${figure.name.padEnd(28)} ${figure.value} ${figure.unit}`,
    )
  }
}
process.exit(printed > 0 ? 0 : 1)
