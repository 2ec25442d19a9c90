import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadOrCreateNodeKey, NODE_KEY_FILE } from '../../../core/wallet/node-key.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'enigma-node-key-'))
})
afterEach(() => rm(dir, { recursive: true }))

it('makes the key once, readable by its owner only, and leaves nothing else', async () => {
  const first = await loadOrCreateNodeKey(dir)
  const second = await loadOrCreateNodeKey(dir)
  expect(second.address).toBe(first.address)
  expect(await readdir(dir)).toEqual([NODE_KEY_FILE])
  if (process.platform !== 'win32') expect((await stat(join(dir, NODE_KEY_FILE))).mode & 0o777).toBe(0o600)
})

it('agrees on one key when several start at once', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateNodeKey(dir)))
  expect(new Set(keys.map((k) => k.address)).size).toBe(1)
  expect(await readdir(dir)).toEqual([NODE_KEY_FILE])
})

it('does not replace a damaged or newer file', async () => {
  const path = join(dir, NODE_KEY_FILE)
  await loadOrCreateNodeKey(dir)
  const text = await readFile(path, 'utf8')
  const at = text.indexOf('"privateKey":"0x') + 20
  const flipped = `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`
  for (const bad of ['', '{', '[]', 'null', flipped, text.slice(0, 40)]) {
    await writeFile(path, bad)
    await expect(loadOrCreateNodeKey(dir)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(await readFile(path, 'utf8')).toBe(bad)
  }
  await writeFile(path, '{"version":2}')
  await expect(loadOrCreateNodeKey(dir)).rejects.toMatchObject({ code: 'STORAGE_VERSION' })
})
