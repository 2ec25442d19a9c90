import { defineConfig } from '@playwright/test'

/** The same story in the real desktop window; run only where Electron's binary is present. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results/electron',
  timeout: 180_000,
  workers: 1,
  forbidOnly: process.env.CI !== undefined,
  reporter: [['list']],
})
