import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vite'
import app from '../../renderer/vite.config.ts'

const root = dirname(fileURLToPath(import.meta.url))

/** The app's own build, with the stand-in for the node in front of it. The policy is the hosts'. */
export default mergeConfig(app, {
  root,
  build: {
    outDir: process.env.HARNESS_OUT ?? resolve(root, '../../dist/renderer-harness'),
    minify: false,
  },
  preview: {
    headers: {
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    },
  },
})
