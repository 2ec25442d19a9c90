import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Vault } from '../../../core/vault/vault.ts'
import { entropyToPhrase, newEntropy } from '../../../core/wallet/phrase.ts'
import { collect, manualClock, OTHER_PASSWORD, PASSWORD, temporaryDir, vaultIn } from './helpers.ts'

let home: Awaited<ReturnType<typeof temporaryDir>>
let away: Awaited<ReturnType<typeof temporaryDir>>
let vault: Vault
let phrase: string
const clock = manualClock()
const content = Buffer.alloc(200_000, 'file content ')

beforeEach(async () => {
  home = await temporaryDir()
  away = await temporaryDir()
  vault = vaultIn(home.dir, { clock })
  ;({ phrase } = await vault.create(PASSWORD))
  await vault.add({
    title: 'salary',
    tags: ['pay'],
    value: { type: 'number', value: '5400.50', unit: 'EUR' },
  })
  await vault.add({ title: 'notes', value: { type: 'text', text: 'long '.repeat(5000) } })
  await vault.addFile({ title: 'scan', name: 'scan.pdf', mime: 'application/pdf' }, [content])
  await vault.putSetting('dht/key', new Uint8Array([1, 2, 3]))
})
afterEach(async () => {
  await vault.lock()
  await home.remove()
  await away.remove()
})

const exported = () => join(away.dir, 'backup.enigma-export')

async function listing(v: Vault) {
  const out = []
  for (const { id } of await v.list()) {
    const { value, title, tags, version, created, updated } = await v.get(id)
    // Content ids are keyed per vault.
    out.push({ id, title, tags, version, created, updated, value: { ...value, contentId: '' } })
  }
  return out
}

async function snapshot(dir: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name)
      out[path] = `${(await stat(path)).mtimeMs} ${(await readFile(path)).toString('base64')}`
    }
  return out
}

describe('restore', () => {
  it('gives keys and records back on an empty machine', async () => {
    const before = await listing(vault)
    const { address, depositAddress } = await vault.status()
    const resultKey = vault.wallet().resultKey('job-1').address
    expect(await vault.exportTo(exported(), { phrase: true })).toMatchObject({ records: 3, files: 2 })
    const fresh = vaultIn(join(away.dir, 'new'), { clock })
    const result = await fresh.restore(phrase, OTHER_PASSWORD, { backup: { path: exported() } })
    expect(result).toEqual({
      mode: 'created',
      address,
      depositAddress,
      merged: { added: 3, updated: 0, unchanged: 0, files: 2 },
    })
    expect(await listing(fresh)).toEqual(before)
    expect(fresh.wallet().resultKey('job-1').address).toBe(resultKey)
    expect(await fresh.getSetting('dht/key')).toEqual(new Uint8Array([1, 2, 3]))
    const file = (await fresh.list({ type: 'file' }))[0]!
    expect((await collect(await fresh.openFile(file.id))).equals(content)).toBe(true)
    await fresh.lock()
    await fresh.unlock(OTHER_PASSWORD)
    expect(await listing(fresh)).toEqual(before)
    await fresh.lock()
  })

  it('restores accounts without any backup', async () => {
    const fresh = vaultIn(join(away.dir, 'new'))
    const { address } = await fresh.restore(new TextEncoder().encode(phrase.toUpperCase()), OTHER_PASSWORD)
    expect(address).toBe((await vault.status()).address)
    expect(await fresh.list()).toEqual([])
    await fresh.lock()
  })

  it('makes nothing when the backup does not open', async () => {
    await vault.exportTo(exported(), { password: OTHER_PASSWORD })
    const fresh = vaultIn(join(away.dir, 'new'))
    await expect(fresh.restore(phrase, PASSWORD, { backup: { path: exported() } })).rejects.toMatchObject({
      code: 'PHRASE_INVALID',
    })
    const bytes = await readFile(exported())
    bytes[bytes.length - 1]! ^= 1
    await writeFile(exported(), bytes)
    await expect(
      fresh.restore(phrase, PASSWORD, { backup: { path: exported(), key: { password: OTHER_PASSWORD } } }),
    ).rejects.toMatchObject({ code: 'VAULT_CORRUPT' })
    expect((await fresh.status()).exists).toBe(false)
  })

  it('refuses the phrase of another vault, bad phrases and weak passwords', async () => {
    const before = await snapshot(home.dir)
    await vault.lock()
    const other = vaultIn(home.dir)
    await expect(other.restore(entropyToPhrase(newEntropy()), OTHER_PASSWORD)).rejects.toMatchObject({
      code: 'PHRASE_INVALID',
    })
    const swapped = phrase.split(' ')
    swapped[0] = swapped[0] === 'zoo' ? 'abandon' : 'zoo'
    await expect(other.restore(phrase.split(' ').slice(1).join(' '), OTHER_PASSWORD)).rejects.toMatchObject({
      code: 'PHRASE_INVALID',
      details: { words: 23 },
    })
    await expect(other.restore(phrase, 'password12')).rejects.toMatchObject({ code: 'PASSWORD_WEAK' })
    await vault.unlock(PASSWORD)
    expect(Object.keys(await snapshot(home.dir)).sort()).toEqual(Object.keys(before).sort())
  })
})

describe('rehearsal', () => {
  it('tries everything and touches nothing, locked and unlocked', async () => {
    await vault.exportTo(exported(), { phrase: true })
    const { address, depositAddress } = await vault.status()
    for (const locked of [false, true]) {
      if (locked) await vault.lock()
      const before = { ...(await snapshot(home.dir)), ...(await snapshot(away.dir)) }
      expect(await vault.rehearseRestore(phrase, { backupPath: exported() })).toMatchObject({
        ok: true,
        address,
        depositAddress,
        vault: { opens: true, records: 3, files: 2 },
        backup: { opens: true, records: 3, files: 2, created: new Date(clock.now()).toISOString() },
      })
      expect({ ...(await snapshot(home.dir)), ...(await snapshot(away.dir)) }).toEqual(before)
    }
    await vault.unlock(PASSWORD)
    await vault.markRehearsed()
    expect((await vault.status()).rehearsedAt).toBe(new Date(clock.now()).toISOString())
  })

  it('says what does not work', async () => {
    await expect(vault.rehearseRestore('abandon '.repeat(24))).rejects.toMatchObject({
      code: 'PHRASE_INVALID',
    })
    expect(await vault.rehearseRestore(entropyToPhrase(newEntropy()))).toMatchObject({
      ok: false,
      vault: { opens: false },
    })
    const blobs = (await readdir(home.dir)).find((name) => name.startsWith('blobs-'))!
    for (const name of await readdir(join(home.dir, blobs))) await rm(join(home.dir, blobs, name))
    const result = await vault.rehearseRestore(phrase, { backupPath: join(away.dir, 'missing') })
    expect(result).toMatchObject({ ok: false, vault: { opens: false }, backup: { opens: false } })
    expect(result.vault.problem).toContain('missing')
  })
})

describe('export and import', () => {
  it('knows the age of the last backup, refuses to overwrite and weak passwords', async () => {
    expect((await vault.status()).backupAt).toBeUndefined()
    await expect(vault.exportTo(exported(), { password: 'short' })).rejects.toMatchObject({
      code: 'PASSWORD_WEAK',
    })
    await vault.exportTo(exported(), { password: OTHER_PASSWORD })
    expect((await vault.status()).backupAt).toBe(new Date(clock.now()).toISOString())
    await expect(vault.exportTo(exported(), { password: OTHER_PASSWORD })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    const bytes = (await readFile(exported())).toString('latin1')
    for (const secret of ['salary', 'long long', 'file content']) expect(bytes).not.toContain(secret)
  })

  it('opens only with its own key', async () => {
    await vault.exportTo(exported(), { password: OTHER_PASSWORD })
    await expect(vault.importFrom(exported(), { password: PASSWORD })).rejects.toMatchObject({
      code: 'PASSWORD_WRONG',
    })
    await expect(vault.importFrom(exported(), { phrase })).rejects.toMatchObject({ code: 'PHRASE_INVALID' })
    await expect(vault.importFrom(join(away.dir, 'x'), { phrase })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await vault.importFrom(exported(), { password: OTHER_PASSWORD })).toEqual({
      added: 0,
      updated: 0,
      unchanged: 3,
      files: 2,
    })
  })

  it('does not hold the phrase: an export with a password cannot spend', async () => {
    await vault.exportTo(exported(), { password: OTHER_PASSWORD })
    const fresh = vaultIn(join(away.dir, 'new'))
    const { address } = await fresh.create(PASSWORD)
    await fresh.importFrom(exported(), { password: OTHER_PASSWORD })
    expect(address).not.toBe((await vault.status()).address)
    expect(fresh.wallet().signer().address).toBe(address)
    expect(await fresh.list()).toHaveLength(3)
    await fresh.lock()
  })

  it('merges both histories, the newer version current, and converges', async () => {
    const id = (await vault.list({ query: 'salary' }))[0]!.id
    await vault.exportTo(exported(), { phrase: true })
    const other = vaultIn(join(away.dir, 'other'), { clock })
    await other.restore(phrase, PASSWORD, { backup: { path: exported() } })
    clock.advance(1000)
    await vault.update(id, { value: { type: 'number', value: '1' } })
    await vault.putShare(id, { id: 'here' })
    clock.advance(1000)
    await other.update(id, { value: { type: 'number', value: '2' } })
    await other.putShare(id, { id: 'there' })
    const [fromHome, fromOther] = [join(away.dir, 'h'), join(away.dir, 'o')]
    await vault.exportTo(fromHome, { phrase: true })
    await other.exportTo(fromOther, { phrase: true })
    expect(await vault.importFrom(fromOther, { phrase })).toMatchObject({
      added: 0,
      updated: 1,
      unchanged: 2,
    })
    expect(await other.importFrom(fromHome, { phrase })).toMatchObject({ added: 0, updated: 1, unchanged: 2 })
    const [a, b] = [await vault.get(id), await other.get(id)]
    expect(a.value).toMatchObject({ value: '2' })
    expect(a.shares.map((s) => s.id).sort()).toEqual(['here', 'there'])
    expect({ ...b, shares: [] }).toEqual({ ...a, shares: [] })
    expect(await other.history(id)).toEqual(await vault.history(id))
    const olds = await Promise.all((await vault.history(id)).map((v) => vault.getVersion(id, v.version)))
    expect(olds.map((old) => (old.value.type === 'number' ? old.value.value : ''))).toEqual(['1', '5400.50'])
    expect(await vault.importFrom(fromOther, { phrase })).toMatchObject({
      added: 0,
      updated: 0,
      unchanged: 3,
    })
    await other.lock()
  })

  it('leaves in the trash what was deleted after the export, and takes back what is purged', async () => {
    await vault.exportTo(exported(), { phrase: true })
    clock.advance(1000)
    const [a, b] = await vault.list()
    await vault.remove(a!.id)
    await vault.remove(b!.id)
    await vault.purge(b!.id)
    expect(await vault.importFrom(exported(), { phrase })).toMatchObject({ added: 1, unchanged: 2 })
    expect((await vault.list({ trash: true })).map((r) => r.id)).toEqual([a!.id])
    expect((await vault.list()).map((r) => r.id)).toContain(b!.id)
  })

  it('repairs a damaged or missing content file', async () => {
    await vault.exportTo(exported(), { phrase: true })
    const blobs = join(home.dir, (await readdir(home.dir)).find((name) => name.startsWith('blobs-'))!)
    const [one, two] = await readdir(blobs)
    await rm(join(blobs, one!))
    const bytes = await readFile(join(blobs, two!))
    bytes[100]! ^= 4
    await writeFile(join(blobs, two!), bytes)
    await expect(listing(vault)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' })
    expect(await vault.importFrom(exported(), { phrase })).toMatchObject({ unchanged: 3 })
    expect(await listing(vault)).toHaveLength(3)
    const file = (await vault.list({ type: 'file' }))[0]!
    expect((await collect(await vault.openFile(file.id))).equals(content)).toBe(true)
  })
})
