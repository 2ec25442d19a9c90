import { requireRuntime } from './runtime.ts'

requireRuntime()
const { buildApp, buildRenderer, appIsStale, rendererIsStale } = await import('./build.ts')
const { findElectron } = await import('../main/process/electron-binary.ts')

// A first start builds what it shows; later ones only what has changed.
const headless = process.argv.includes('--headless')
if (!headless && rendererIsStale()) {
  console.error('Building the interface …')
  await buildRenderer()
}
if (!headless && 'path' in findElectron(false) && appIsStale()) {
  console.error('Building the app …')
  await buildApp()
}
const { run } = await import('../main/cli/program.ts')
await run(['start', ...process.argv.slice(2)])
process.exit()
