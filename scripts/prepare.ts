/** Runs after `npm ci`: compiles what is generated from sources, so that nothing generated is checked in. */
import { buildContracts } from './build-contracts.ts'
import { buildKernel } from './build-kernel.ts'

await buildKernel()
await buildContracts()
