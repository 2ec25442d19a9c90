import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { minute, second } from '../../../core/base/units.ts'
import type { Vault } from '../../../core/vault/vault.ts'
import { collect, FAST_KDF, manualClock, OTHER_PASSWORD, PASSWORD, temporaryDir, vaultIn } from './helpers.ts'

let dir: string
let remove: () => Promise<void>
let vault: Vault
beforeEach(async () => {
  ;({ dir, remove } = await temporaryDir())
  vault = vaultIn(dir)
})
afterEach(async () => {
  await vault.lock()
  await remove()
})

const number = (value: string) => ({ title: 'salary', value: { type: 'number' as const, value } })

describe('create, unlock, lock', () => {
  it('makes a vault with a 24-word phrase and refuses a second one', async () => {
    expect(await vault.status()).toMatchObject({ exists: false, unlocked: false })
    const { phrase, address } = await vault.create(PASSWORD)
    expect(phrase.split(' ')).toHaveLength(24)
    expect(address).toMatch(/^0x[0-9a-f]{40}$/)
    expect(await vault.status()).toMatchObject({ exists: true, unlocked: true, address, records: 0 })
    await expect(vault.create(PASSWORD)).rejects.toMatchObject({ code: 'VAULT_EXISTS' })
    await expect(vaultIn(dir).create(PASSWORD)).rejects.toMatchObject({ code: 'VAULT_EXISTS' })
  })

  it('keeps records and accounts across lock and a new process', async () => {
    const { address } = await vault.create(new TextEncoder().encode(PASSWORD))
    const { id } = await vault.add(number('12.50'))
    await vault.lock()
    const again = vaultIn(dir)
    await again.unlock(PASSWORD)
    expect((await again.get(id)).value).toEqual({ type: 'number', value: '12.50' })
    expect(again.wallet().signer().address).toBe(address)
    await again.lock()
  })

  it('treats composed and decomposed forms of a password as one', async () => {
    await vault.create('café au lait très chaud')
    await vault.lock()
    await vault.unlock('café au lait très chaud'.normalize('NFD'))
  })

  it('refuses everything while locked', async () => {
    const locked = { code: 'VAULT_LOCKED' }
    await expect(vault.unlock(PASSWORD)).rejects.toMatchObject({ code: 'VAULT_MISSING' })
    await vault.create(PASSWORD)
    const { id } = await vault.add(number('1'))
    const wallet = vault.wallet()
    const signer = wallet.signer()
    await vault.lock()
    await vault.lock()
    expect(() => vault.wallet()).toThrow(expect.objectContaining(locked))
    expect(() => signer.signDigest(new Uint8Array(32))).toThrow(expect.objectContaining(locked))
    for (const call of [
      () => vault.get(id),
      () => vault.list(),
      () => vault.add(number('2')),
      () => vault.addFile({ title: 'f', name: 'f', mime: 'a/b' }, []),
      () => vault.openFile(id),
      () => vault.update(id, { title: 'x' }),
      () => vault.history(id),
      () => vault.remove(id),
      () => vault.purge(id),
      () => vault.numericColumn(id),
      () => vault.putShare(id, { id: 's' }),
      () => vault.previewImport([new Uint8Array(1)], { format: 'csv' }),
      () => vault.getSetting('k'),
      () => vault.putSetting('k', 1),
      () => vault.exportTo(join(dir, 'x'), { phrase: true }),
      () => vault.importFrom(join(dir, 'x'), { password: PASSWORD }),
      () => vault.logActivity('a.b'),
      () => vault.activity(),
      () => vault.verifyActivity(),
      () => vault.changePassword(PASSWORD, OTHER_PASSWORD),
      () => vault.revealPhrase(PASSWORD),
      () => vault.confirmPassword(PASSWORD),
      () => vault.markRehearsed(),
    ])
      await expect(call()).rejects.toMatchObject(locked)
  })

  it('changes the password, and only with the right one', async () => {
    await vault.create(PASSWORD)
    await vault.add(number('7'))
    const before = await readFile(join(dir, 'vault.enigma'))
    await expect(vault.changePassword(OTHER_PASSWORD, 'another long good one')).rejects.toMatchObject({
      code: 'PASSWORD_WRONG',
    })
    await expect(vault.changePassword(PASSWORD, 'short')).rejects.toMatchObject({ code: 'PASSWORD_WEAK' })
    await vault.changePassword(PASSWORD, OTHER_PASSWORD)
    expect((await readFile(join(dir, 'vault.enigma'))).equals(before)).toBe(false)
    await vault.add(number('8'))
    await vault.lock()
    await expect(vault.unlock(PASSWORD)).rejects.toMatchObject({ code: 'PASSWORD_WRONG' })
    await vault.unlock(OTHER_PASSWORD)
    expect(await vault.list()).toHaveLength(2)
  })

  it('shows the phrase again to whoever knows the password', async () => {
    const { phrase } = await vault.create(PASSWORD)
    await expect(vault.revealPhrase(OTHER_PASSWORD)).rejects.toMatchObject({ code: 'PASSWORD_WRONG' })
    expect(await vault.revealPhrase(PASSWORD)).toBe(phrase)
    await vault.confirmPassword(PASSWORD)
    await expect(vault.confirmPassword('x')).rejects.toMatchObject({ code: 'PASSWORD_WRONG' })
  })

  it('does not overwrite what another process wrote', async () => {
    await vault.create(PASSWORD)
    const other = vaultIn(dir)
    await other.unlock(PASSWORD)
    await other.add(number('1'))
    await expect(vault.add(number('2'))).rejects.toMatchObject({ code: 'VAULT_CHANGED' })
    await other.lock()
    await vault.lock()
    await vault.unlock(PASSWORD)
    expect(await vault.list()).toHaveLength(1)
  })

  it('refuses a file of a newer version and leaves it as it is', async () => {
    await vault.create(PASSWORD)
    await vault.lock()
    const path = join(dir, 'vault.enigma')
    const bytes = await readFile(path)
    bytes[9] = 2
    await writeFile(path, bytes)
    await expect(vault.unlock(PASSWORD)).rejects.toMatchObject({ code: 'VAULT_VERSION' })
    expect((await readFile(path)).equals(bytes)).toBe(true)
    expect((await vault.status()).failedAttempts).toBe(0)
  })

  it('keeps no secret of the person in any file', async () => {
    const { phrase } = await vault.create(PASSWORD)
    await vault.add({
      title: 'Needle title',
      tags: ['needletag'],
      value: { type: 'text', text: 'needle text '.repeat(1000) },
    })
    await vault.addFile({ title: 'f', name: 'needle.txt', mime: 'text/plain' }, [
      new TextEncoder().encode('needle content'),
    ])
    await vault.putSetting('needle/key', 'needle value')
    await vault.lock()
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const text = (await readFile(join(entry.parentPath, entry.name))).toString('latin1')
      for (const secret of ['needle', 'Needle', PASSWORD, phrase.slice(0, 30)])
        expect(text).not.toContain(secret)
    }
  })
})

describe('back-off', () => {
  it('grows after five wrong passwords and survives a restart', async () => {
    const clock = manualClock()
    vault = vaultIn(dir, { clock })
    await vault.create(PASSWORD)
    await vault.lock()
    for (let i = 1; i <= 5; i++)
      await expect(vault.unlock('wrong password')).rejects.toMatchObject({
        code: 'PASSWORD_WRONG',
        details: { failures: i, seconds: i < 5 ? 0 : 30 },
      })
    await expect(vault.unlock(PASSWORD)).rejects.toMatchObject({ code: 'BACKOFF', details: { seconds: 30 } })
    clock.advance(10 * second)
    // A new process, a clock set back: the wait stays.
    const restarted = vaultIn(dir, { clock })
    await expect(restarted.unlock(PASSWORD)).rejects.toMatchObject({
      code: 'BACKOFF',
      details: { seconds: 20 },
    })
    clock.advance(-minute)
    await expect(vaultIn(dir, { clock }).unlock(PASSWORD)).rejects.toMatchObject({ details: { seconds: 30 } })
    clock.advance(minute + 20 * second)
    await expect(restarted.unlock('wrong password')).rejects.toMatchObject({
      details: { failures: 6, seconds: 60 },
    })
    expect(await restarted.status()).toMatchObject({ failedAttempts: 6, backoffSeconds: 60 })
    clock.advance(minute)
    await restarted.unlock(PASSWORD)
    expect(await restarted.status()).toMatchObject({ failedAttempts: 0, backoffSeconds: 0 })
    expect((await restarted.activity({ kind: 'vault.unlocked' }))[0]?.fields).toEqual({ failedAttempts: 6 })
    await restarted.lock()
  })

  it('does not forget the count when its file is damaged', async () => {
    await vault.create(PASSWORD)
    await vault.lock()
    for (const bad of ['', '{}', '{"failures":-1,"at":0}', 'x'.repeat(10_000)]) {
      await writeFile(join(dir, 'unlock.json'), bad)
      await expect(vaultIn(dir).unlock(PASSWORD)).rejects.toMatchObject({ code: 'BACKOFF' })
    }
  })

  it('lets the phrase in during a wait', async () => {
    const { phrase } = await vault.create(PASSWORD)
    await vault.lock()
    for (let i = 0; i < 5; i++) await expect(vault.unlock('wrong password')).rejects.toThrow()
    await expect(vault.unlock(PASSWORD)).rejects.toMatchObject({ code: 'BACKOFF' })
    expect(await vault.restore(phrase, OTHER_PASSWORD)).toMatchObject({ mode: 'reopened' })
    await vault.lock()
    await vault.unlock(OTHER_PASSWORD)
  })
})

describe('records', () => {
  beforeEach(() => vault.create(PASSWORD))

  it('keeps versions and restores one', async () => {
    const { id } = await vault.add(number('1'))
    await vault.update(id, { value: { type: 'number', value: '2' }, tags: ['pay'] })
    await vault.update(id, { title: 'renamed' })
    expect(await vault.get(id)).toMatchObject({ version: 3, versions: 2, title: 'renamed', tags: ['pay'] })
    expect((await vault.history(id)).map((v) => v.version)).toEqual([2, 1])
    expect((await vault.getVersion(id, 1)).value).toEqual({ type: 'number', value: '1' })
    const back = await vault.restoreVersion(id, 1)
    expect(back).toMatchObject({ version: 4, title: 'salary', tags: [] })
    expect((await vault.get(id)).value).toMatchObject({ value: '1' })
    await expect(vault.getVersion(id, 9)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(vault.update(id, { value: { type: 'text', text: 'x' } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('goes to the trash, comes back, and is purged with its content', async () => {
    const { id } = await vault.add({ title: 'long', value: { type: 'text', text: 'x'.repeat(10_000) } })
    const blobs = join(dir, (await readdir(dir)).find((name) => name.startsWith('blobs-'))!)
    expect(await readdir(blobs)).toHaveLength(1)
    await expect(vault.purge(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await vault.remove(id)
    expect(await vault.list()).toEqual([])
    expect(await vault.list({ trash: true })).toHaveLength(1)
    await expect(vault.update(id, { title: 'x' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await vault.undelete(id)
    expect(await vault.list()).toHaveLength(1)
    await vault.remove(id)
    await vault.purge(id)
    await expect(vault.get(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await readdir(blobs)).toEqual([])
  })

  it('finds words by prefix, Chinese by two characters, and content of large values', async () => {
    const a = await vault.add({
      title: '我的工资单',
      tags: ['2026'],
      value: { type: 'text', text: 'Payslip January' },
    })
    const b = await vault.add({
      title: 'Blood pressure',
      value: { type: 'text', text: `${'word '.repeat(3000)}隐私计算 unicorn` },
    })
    const find = async (query: string) => (await vault.list({ query })).map((r) => r.id)
    expect(await find('工资')).toEqual([a.id])
    expect(await find('资')).toEqual([a.id])
    expect(await find('工单')).toEqual([])
    expect(await find('隐私')).toEqual([b.id])
    expect(await find('PAYS jan')).toEqual([a.id])
    expect(await find('unicorn')).toEqual([b.id])
    expect(await find('pays unicorn')).toEqual([])
    await vault.update(a.id, { title: 'changed', value: { type: 'text', text: 'nothing' } })
    expect(await find('工资')).toEqual([])
    await vault.remove(b.id)
    expect(await find('unicorn')).toEqual([])
    expect(await vault.list({ tag: '2026' })).toHaveLength(1)
    expect(await vault.list({ type: 'file' })).toHaveLength(0)
  })

  it('streams files in and out, and stores equal content once', async () => {
    const content = Buffer.alloc(300_000, 'abcdefghijk')
    const add = () =>
      vault.addFile({ title: 'scan', name: 'scan.pdf', mime: 'application/pdf' }, [
        content.subarray(0, 100_001),
        content.subarray(100_001),
      ])
    const first = await add()
    const second = await add()
    expect(first.shape).toEqual({ name: 'scan.pdf', mime: 'application/pdf', bytes: 300_000 })
    expect((await collect(await vault.openFile(first.id))).equals(content)).toBe(true)
    const blobs = join(dir, (await readdir(dir)).find((name) => name.startsWith('blobs-'))!)
    expect(await readdir(blobs)).toHaveLength(1)
    await vault.remove(first.id)
    await vault.purge(first.id)
    expect((await collect(await vault.openFile(second.id))).equals(content)).toBe(true)
    const empty = await vault.addFile({ title: 'e', name: 'e', mime: 'x/y' }, [])
    expect((await collect(await vault.openFile(empty.id))).length).toBe(0)
  })

  it('leaves nothing behind when a file source fails', async () => {
    const broken = async function* () {
      yield new Uint8Array(200_000)
      throw new Error('cable pulled')
    }
    await expect(vault.addFile({ title: 't', name: 'n', mime: 'm/m' }, broken())).rejects.toThrow()
    expect(await vault.list()).toEqual([])
    expect((await readdir(dir, { recursive: true })).filter((n) => n.includes('.tmp'))).toEqual([])
  })

  it('does not store a file whose upload outlived a lock', async () => {
    let proceed = () => {}
    const gate = new Promise<void>((resolve) => {
      proceed = resolve
    })
    const slow = async function* () {
      yield new Uint8Array(10)
      await gate
      yield new Uint8Array(10)
    }
    const adding = vault.addFile({ title: 't', name: 'n', mime: 'm/m' }, slow())
    const outcome = expect(adding).rejects.toMatchObject({ code: 'VAULT_LOCKED' })
    await vault.lock()
    await vault.unlock(PASSWORD)
    proceed()
    await outcome
    expect(await vault.list()).toEqual([])
  })

  it('gives decimal strings for sharing', async () => {
    const table = await vault.add({
      title: 't',
      value: {
        type: 'table',
        columns: [
          { name: 'who', type: 'text' },
          { name: 'a', type: 'number' },
          { name: 'b', type: 'number' },
        ],
        rows: [
          ['x', '1.10', '-2'],
          ['y', '007', '+3'],
        ],
      },
    })
    expect(await vault.numericColumn(table.id, 'a')).toEqual(['1.10', '7'])
    expect(await vault.numericColumn(table.id, 'b')).toEqual(['-2', '3'])
    for (const column of [undefined, 'who', 'zz'])
      await expect(vault.numericColumn(table.id, column)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const one = await vault.add(number('5'))
    expect(await vault.numericColumn(one.id)).toEqual(['5'])
    const series = await vault.add({
      title: 's',
      value: { type: 'timeseries', times: [1, 2], values: ['1', '2.5'] },
    })
    expect(await vault.numericColumn(series.id)).toEqual(['1', '2.5'])
  })

  it('keeps share entries and settings', async () => {
    const { id } = await vault.add(number('5'))
    const share = {
      id: '0xabc',
      holders: [{ index: 1, peer: 'p' }],
      digest: new Uint8Array([1, 2]),
      identity: null,
    }
    await vault.putShare(id, share)
    await vault.putShare(id, { ...share, identity: 'i' })
    await vault.putShare(id, { id: '0xdef' })
    await vault.removeShare(id, '0xdef')
    await vault.putSetting('dht/key/1', new Uint8Array([9, 9]))
    await vault.putSetting('ui/theme', { dark: true, list: [1, 'a', null, 0.5] })
    await vault.putSetting('gone', 1)
    await vault.deleteSetting('gone')
    await vault.lock()
    await vault.unlock(PASSWORD)
    expect(await vault.get(id)).toMatchObject({ version: 1, shares: [{ ...share, identity: 'i' }] })
    expect(await vault.getSetting('dht/key/1')).toEqual(new Uint8Array([9, 9]))
    expect(await vault.getSetting('ui/theme')).toEqual({ dark: true, list: [1, 'a', null, 0.5] })
    expect(await vault.getSetting('missing')).toBeUndefined()
    expect(await vault.settingKeys('dht/')).toEqual(['dht/key/1'])
    expect(await vault.settingKeys()).toEqual(['dht/key/1', 'ui/theme'])
    for (const value of [
      Number.NaN,
      2 ** 60,
      1n,
      undefined,
      () => 1,
      new Date(),
      JSON.parse('{"__proto__":1}'),
    ])
      await expect(vault.putSetting('k', value as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(vault.putSetting('', 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(vault.putSetting('k', new Uint8Array(2 ** 20))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
  })

  it('hands out copies: changing one does not change the vault', async () => {
    const table = await vault.add({
      title: 't',
      value: { type: 'table', columns: [{ name: 'a', type: 'text' }], rows: [['x']] },
    })
    const got = await vault.get(table.id)
    if (got.value.type === 'table') got.value.rows[0]![0] = 'changed'
    got.tags.push('changed')
    table.tags.push('changed')
    const again = await vault.get(table.id)
    expect(again.tags).toEqual([])
    expect(again.value).toMatchObject({ rows: [['x']] })
  })

  it('serialises concurrent changes', async () => {
    const { id } = await vault.add(number('0'))
    await Promise.all(Array.from({ length: 20 }, (_, i) => vault.update(id, { tags: [`t${i}`] })))
    expect(await vault.get(id)).toMatchObject({ version: 21, versions: 20 })
  })
})

it('does not accept a KDF below the floor from its caller either', () => {
  expect(() => vaultIn(dir, { kdf: { ...FAST_KDF, memoryKiB: 8 * 1024 } })).toThrow(
    expect.objectContaining({ code: 'KDF_DOWNGRADE' }),
  )
})
