import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{system,unit,property,compliance,solidity,adversary}/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
