import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Vault } from '../../../core/vault/vault.ts'
import { manualClock, PASSWORD, temporaryDir, vaultIn } from './helpers.ts'

let home: Awaited<ReturnType<typeof temporaryDir>>
let vault: Vault
const clock = manualClock(Date.UTC(2026, 5, 1))

beforeEach(async () => {
  home = await temporaryDir()
  vault = vaultIn(home.dir, { clock })
  await vault.create(PASSWORD)
})
afterEach(async () => {
  await vault.lock()
  await home.remove()
})

async function logPath(): Promise<string> {
  return join(home.dir, (await readdir(home.dir)).find((n) => /^activity-[0-9a-f]+\.enigma$/.test(n))!)
}

/** Where each frame starts, from the plain length fields. */
function frames(bytes: Buffer): { at: number; length: number }[] {
  const out = []
  for (let at = 50; at < bytes.length; ) {
    const length = 20 + bytes.readUInt32BE(at)
    out.push({ at, length })
    at += length
  }
  return out
}

describe('log', () => {
  it('filters by kind and time, newest first, and exports JSON lines', async () => {
    await vault.logActivity('share.stored', { reference: '0xaa', holders: 5 })
    clock.advance(60_000)
    await vault.logActivity('share.revoked', { reference: '0xaa' })
    await vault.logActivity('job.finished', { ok: true })
    expect((await vault.activity({ kind: 'share.' })).map((e) => e.kind)).toEqual([
      'share.revoked',
      'share.stored',
    ])
    expect((await vault.activity({ kind: 'share.stored' }))[0]).toMatchObject({ fields: { holders: 5 } })
    expect(await vault.activity({ from: '2026-06-01T00:01:00Z' })).toHaveLength(2)
    expect(await vault.activity({ to: '2026-06-01T00:00:30Z', kind: 'share.' })).toHaveLength(1)
    expect((await vault.activity({ limit: 1, offset: 1 })).map((e) => e.kind)).toEqual(['share.revoked'])
    const lines = (await vault.exportActivity())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map((l) => l.index)).toEqual([0, 1, 2, 3])
    expect(lines[1]).toMatchObject({ kind: 'share.stored', time: '2026-06-01T00:00:00.000Z' })
    await expect(vault.activity({ from: 'yesterday' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('continues over a restart and verifies', async () => {
    const { hash } = await vault.logActivity('a.b')
    expect(await vault.verifyActivity()).toMatchObject({ ok: true, entries: 2, head: hash })
    await vault.lock()
    await vault.unlock(PASSWORD)
    expect((await vault.activity()).map((e) => [e.index, e.kind])).toEqual([
      [3, 'vault.unlocked'],
      [2, 'vault.locked'],
      [1, 'a.b'],
      [0, 'vault.created'],
    ])
    expect((await vault.verifyActivity()).ok).toBe(true)
  })

  it('refuses fields that could hold secrets, and malformed ones', async () => {
    const bad = { code: 'INVALID_ARGUMENT' }
    for (const [kind, fields] of [
      ['Upper', {}],
      ['a..b', {}],
      ['a.b', { password: 'x' }],
      ['a.b', { privateKey: 'x' }],
      ['a.b', { recoveryPhrase: 'x' }],
      ['a.b', { n: Number.NaN }],
      ['a.b', { o: {} }],
      ['a.b', { long: 'x'.repeat(1001) }],
    ] as const)
      await expect(vault.logActivity(kind, fields as never)).rejects.toMatchObject(bad)
  })

  it('keeps every entry of concurrent writers, in one chain', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => vault.logActivity('n.n', { i })))
    expect(await vault.verifyActivity()).toMatchObject({ ok: true, entries: 51 })
    expect(await vault.activity({ kind: 'n.n' })).toHaveLength(50)
  })
})

describe('a crash while appending', () => {
  it.each([1, 3, 19, 20, 60])('drops the entry that was cut off after %i bytes', async (kept) => {
    await vault.logActivity('kept.entry')
    await vault.logActivity('torn.entry')
    const path = await logPath()
    const last = frames(await readFile(path)).at(-1)!
    // As after kill -9: no lock, no anchor.
    const crashed = vaultIn(home.dir, { clock })
    await truncate(path, last.at + kept)
    await crashed.unlock(PASSWORD)
    expect((await crashed.activity()).map((e) => e.kind)).toEqual([
      'vault.unlocked',
      'kept.entry',
      'vault.created',
    ])
    expect((await crashed.verifyActivity()).ok).toBe(true)
    await crashed.lock()
  })

  it('drops a tail of zeros, as a power cut leaves it', async () => {
    const path = await logPath()
    const bytes = await readFile(path)
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(300)]))
    const crashed = vaultIn(home.dir, { clock })
    await crashed.unlock(PASSWORD)
    expect(await crashed.verifyActivity()).toMatchObject({ ok: true, entries: 2 })
    await crashed.lock()
  })
})

describe('tampering', () => {
  beforeEach(async () => {
    for (let i = 0; i < 5; i++) await vault.logActivity('n.n', { i })
  })

  it('is seen at every byte of the file by a running vault', async () => {
    const path = await logPath()
    const bytes = await readFile(path)
    for (let at = 0; at < bytes.length; at += 7) {
      const bad = Buffer.from(bytes)
      bad[at]! ^= 1 << (at % 8)
      await writeFile(path, bad)
      expect((await vault.verifyActivity()).ok, `byte ${at}`).toBe(false)
    }
    await writeFile(path, bytes)
    expect((await vault.verifyActivity()).ok).toBe(true)
  })

  it.each(['removed', 'swapped', 'repeated', 'cut off', 'emptied'])('finds entries %s', async (how) => {
    const path = await logPath()
    const bytes = await readFile(path)
    const list = frames(bytes)
    const parts = list.map(({ at, length }) => bytes.subarray(at, at + length))
    if (how === 'removed') parts.splice(2, 1)
    if (how === 'swapped') [parts[1], parts[2]] = [parts[2]!, parts[1]!]
    if (how === 'repeated') parts.splice(2, 0, parts[1]!)
    if (how === 'cut off') parts.pop()
    if (how === 'emptied') parts.length = 0
    await writeFile(path, Buffer.concat([bytes.subarray(0, 50), ...parts]))
    const verdict = await vault.verifyActivity()
    expect(verdict).toMatchObject({ ok: false })
    expect(verdict.problem).toBeTruthy()
  })

  it.each(['flipped', 'cut off', 'deleted'])(
    'while the vault was closed: %s; the rest is kept aside and it stays visible',
    async (how) => {
      await vault.lock()
      const path = await logPath()
      const bytes = await readFile(path)
      const last = frames(bytes).at(-1)!
      if (how === 'flipped') bytes[last.at - 1]! ^= 1
      if (how === 'flipped') await writeFile(path, bytes)
      if (how === 'cut off') await truncate(path, last.at)
      if (how === 'deleted') await rm(path)
      await vault.unlock(PASSWORD)
      expect((await vault.verifyActivity()).ok).toBe(false)
      if (how === 'flipped') return
      expect((await vault.activity({ kind: 'log.damaged' }))[0]?.fields).toMatchObject({
        keptAside: how === 'cut off',
      })
      expect((await readdir(home.dir)).some((n) => n.includes('.damaged-'))).toBe(how === 'cut off')
      // It never looks whole again.
      await vault.lock()
      await vault.unlock(PASSWORD)
      expect((await vault.verifyActivity()).ok).toBe(false)
      await vault.logActivity('goes.on')
      expect((await vault.activity({ limit: 1 }))[0]?.kind).toBe('goes.on')
    },
  )

  it('of a flipped length is not mistaken for a crash', async () => {
    const path = await logPath()
    const bytes = await readFile(path)
    const last = frames(bytes).at(-2)!
    bytes[last.at + 2]! ^= 1
    await writeFile(path, bytes)
    const reopened = vaultIn(home.dir, { clock })
    await reopened.unlock(PASSWORD)
    expect((await reopened.verifyActivity()).ok).toBe(false)
    const aside = (await readdir(home.dir)).find((n) => n.includes('.damaged-'))!
    expect((await readFile(join(home.dir, aside))).equals(bytes)).toBe(true)
    await reopened.lock()
  })

  it("by another vault's log does not pass", async () => {
    const other = await temporaryDir()
    const stranger = vaultIn(other.dir, { clock })
    await stranger.create(PASSWORD)
    for (let i = 0; i < 8; i++) await stranger.logActivity('n.n')
    await stranger.lock()
    const name = (await readdir(other.dir)).find((n) => n.startsWith('activity-'))!
    await writeFile(await logPath(), await readFile(join(other.dir, name)))
    expect((await vault.verifyActivity()).ok).toBe(false)
    await other.remove()
  })
})
