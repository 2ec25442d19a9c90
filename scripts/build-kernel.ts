import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'core/kernel/generated/module.ts')

/**
 * Compiles core/kernel/assembly to core/kernel/generated/module.ts, which carries the WebAssembly module as
 * base64 text: workers and bundles load it synchronously, without a path to a file. There are two: with fused
 * multiply-adds (relaxed SIMD), and without. Throws with the compiler's messages.
 */
export async function buildKernel(): Promise<void> {
  const [fused, plain] = [await compile(['--enable=relaxed-simd']), await compile([])]
  await mkdir(dirname(target), { recursive: true })
  const constant = (name: string, wasm: Uint8Array) =>
    `export const ${name} =\n  '${Buffer.from(wasm).toString('base64')}'\n`
  const text = `// Made by scripts/build-kernel.ts from core/kernel/assembly. Not edited.\n${constant('FUSED_WASM', fused)}${constant('PLAIN_WASM', plain)}`
  if ((await readFile(target, 'utf8').catch(() => '')) === text) return
  // Renamed into place, so that a process that starts meanwhile never reads half a file.
  const draft = `${target}.${process.pid}`
  await writeFile(draft, text)
  await rename(draft, target)
}

async function compile(features: readonly string[]): Promise<Uint8Array> {
  const files = new Map<string, string | Uint8Array>()
  const { error, stderr } = await asc.main(
    [
      'core/kernel/assembly/index.ts',
      '--outFile=kernel.wasm',
      '-O3',
      '--noAssert',
      '--runtime=stub',
      '--use=abort=',
      '--enable=simd',
      '--enable=bulk-memory',
      ...features,
      '--initialMemory=2',
      '--maximumMemory=65536',
      '--memoryBase=32768',
    ],
    {
      readFile: (name, base) => readFile(join(root, base, name), 'utf8').catch(() => null),
      writeFile: (name, contents) => {
        files.set(name, contents)
      },
      listFiles: () => null,
    },
  )
  if (error) throw new Error(`the kernel does not compile: ${error.message}\n${stderr.toString()}`)
  const wasm = files.get('kernel.wasm')
  if (!(wasm instanceof Uint8Array)) throw new Error('the compiler wrote no module')
  return wasm
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernel()
