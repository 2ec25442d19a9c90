import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../core/base/bytes.ts'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { backoffMs } from '../../../core/vault/backoff.ts'
import { decodeCanonical } from '../../../core/vault/codec.ts'
import { STATE_FORMAT } from '../../../core/vault/constants.ts'
import { argon2, calibrateKdf, checkKdf, nativeArgon2, passwordBytes } from '../../../core/vault/kdf.ts'
import { checkPassword } from '../../../core/vault/password.ts'
import { SearchIndex } from '../../../core/vault/search.ts'
import { decodeState, encodeState, type VaultState } from '../../../core/vault/state.ts'
import type { NewRecordValue } from '../../../core/vault/types.ts'
import { FAST_KDF } from './helpers.ts'

describe('password', () => {
  it.each([
    '',
    'short1!',
    'password12',
    'P@ssw0rd123',
    'qwertyuiop1',
    '1234567890123',
    'aaaaaaaaaaaa',
    'abababababab',
    'iloveyou2024',
    'letmeinletmein',
    '20250101199912',
    'abcdefghijklmn',
    'enigmavault1',
    'Summer2025!',
    'woaini1234',
  ])('refuses %s', (password) => {
    try {
      checkPassword(password)
    } catch (error) {
      const { code, message, remedy } = error as { code: string; message: string; remedy: string }
      expect(code).toBe('PASSWORD_WEAK')
      expect(remedy).toBeTruthy()
      if (password !== '') expect(message + remedy).not.toContain(password)
      return
    }
    throw new Error('accepted')
  })

  it.each([
    'correct horse battery staple',
    'gT7#vQ2m!xLp',
    'ochre-window-tulip',
    '紫色的长颈鹿喜欢喝咖啡',
    'mDk29sJw0qLf',
    'пятьдесят лягушек',
  ])('accepts %s', (password) => {
    expect(() => checkPassword(password)).not.toThrow()
    expect(() => checkPassword(utf8(password))).not.toThrow()
  })
})

describe('Argon2id', () => {
  it('gives the same bytes natively and in wasm', async () => {
    const salt = utf8('somesaltsomesalt')
    const wasm = await argon2(utf8('password'), salt, FAST_KDF, false)
    expect(wasm).toHaveLength(32)
    if (nativeArgon2) expect(toHex(await argon2(utf8('password'), salt, FAST_KDF, true))).toBe(toHex(wasm))
    expect(toHex(await argon2(utf8('passwore'), salt, FAST_KDF))).not.toBe(toHex(wasm))
    expect(toHex(await argon2(utf8('password'), utf8('somesaltsomesalu'), FAST_KDF))).not.toBe(toHex(wasm))
    expect(toHex(await argon2(utf8('password'), salt, { ...FAST_KDF, iterations: 3 }))).not.toBe(toHex(wasm))
  })

  it('keeps to its bounds', async () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => checkKdf(FAST_KDF)).not.toThrow()
    for (const weak of [{ memoryKiB: 19 * 1024 - 1 }, { iterations: 1 }])
      expect(() => checkKdf({ ...FAST_KDF, ...weak })).toThrow(code('KDF_DOWNGRADE'))
    for (const absurd of [
      { memoryKiB: 2 ** 21 },
      { iterations: 1000 },
      { parallelism: 17 },
      { iterations: 2.5 },
      { memoryKiB: Number.NaN },
      { memoryKiB: 2 ** 20, iterations: 64 },
    ])
      expect(() => checkKdf({ ...FAST_KDF, ...absurd })).toThrow(code('VAULT_CORRUPT'))
    await expect(argon2(utf8('x'), new Uint8Array(16), { ...FAST_KDF, iterations: 1 })).rejects.toMatchObject(
      {
        code: 'KDF_DOWNGRADE',
      },
    )
  })

  it('calibrates to 64 MiB and never fewer than three passes', async () => {
    // However slow the machine, however small the target.
    expect(await calibrateKdf(0)).toEqual({ memoryKiB: 64 * 1024, iterations: 3, parallelism: 1 })
    const far = await calibrateKdf(1e9)
    expect(() => checkKdf(far)).not.toThrow()
    expect(far.iterations).toBeGreaterThan(3)
  })

  it('normalises passwords', () => {
    expect(passwordBytes('é')).toEqual(passwordBytes('e\u0301'))
    expect(passwordBytes(utf8('é'))).toEqual(passwordBytes('é'))
  })
})

it('the wait doubles from the fifth wrong password to an hour', () => {
  expect([0, 1, 4, 5, 6, 7, 12, 100].map((n) => backoffMs(n) / 1000)).toEqual([
    0, 0, 0, 30, 60, 120, 3600, 3600,
  ])
})

describe('canonical CBOR', () => {
  it('accepts its own encoding only', () => {
    const value = { b: 1, a: [true, null, 'x', new Uint8Array([1])], n: -5 }
    expect(decodeCanonical(encodeCanonical(value))).toEqual(value)
    for (const hex of [
      '1817', // 23 in two bytes
      'bf616101ff', // indefinite map
      'a2616201616101', // keys out of order
      'a2616101616102', // a key twice
      'f97e00', // NaN
      'f97c00', // Infinity
      'f7', // undefined
      'fb3ff0000000000000', // 1.0 as a double
      '0102', // trailing bytes
      '61ff', // not UTF-8
      '',
      'c11a514b67b0', // a tag
    ])
      expect(() => decodeCanonical(fromHex(hex)), hex).toThrow(
        expect.objectContaining({ code: 'VAULT_CORRUPT' }),
      )
  })
})

describe('body formats', () => {
  const state: VaultState = {
    id: new Uint8Array(16),
    created: 1,
    contentKey: new Uint8Array(32),
    entropy: new Uint8Array(32),
    records: new Map(),
    settings: new Map([['k', { value: 'v', updated: 2 }]]),
    anchor: { count: 0, hash: new Uint8Array(32), bytes: 0 },
  }
  const reencode = async (change: Record<string, unknown>) =>
    encodeCanonical({ ...(decodeCanonical(await encodeState(state)) as object), ...change })

  it('comes back as it was', async () => {
    expect(await decodeState(await encodeState(state))).toEqual(state)
  })

  it('refuses a newer format and brings an older one up to date step by step', async () => {
    await expect(decodeState(await reencode({ format: STATE_FORMAT + 1 }))).rejects.toMatchObject({
      code: 'VAULT_VERSION',
    })
    await expect(decodeState(await reencode({ format: 0 }))).rejects.toMatchObject({ code: 'VAULT_CORRUPT' })
    const migrations = {
      [-1]: (s: Record<string, unknown>) => ({ ...s, format: 0, created: 40 }),
      0: (s: Record<string, unknown>) => ({ ...s, format: STATE_FORMAT, created: Number(s.created) + 2 }),
    }
    await expect(decodeState(await reencode({ format: -1 }), migrations)).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
    })
    const byOne = {
      ...migrations,
      0: (s: Record<string, unknown>) => ({ ...s, format: 1, created: Number(s.created) + 2 }),
      1: (s: Record<string, unknown>) => ({ ...s, format: STATE_FORMAT }),
    }
    expect(await decodeState(await reencode({ format: -1 }), byOne)).toEqual({ ...state, created: 42 })
    await expect(decodeState(await reencode({ format: 0 }), { 0: (s) => s })).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
    })
  })

  it('opens what format 1 stored, whose contents have no previews', async () => {
    const inline: NewRecordValue = { type: 'number', value: '1' }
    const record = {
      id: 'ab'.repeat(16),
      version: 1,
      time: 5,
      created: 4,
      title: 't',
      tags: [],
      content: { type: 'number' as const, shape: {}, inline },
      history: [],
      shares: [],
    }
    const old = await reencode({ format: 1, records: [record] })
    expect((await decodeState(old)).records.get(record.id)).toEqual(record)
  })

  it.each([
    { format: 'x' },
    { id: new Uint8Array(3) },
    { extra: 1 },
    { records: [{}] },
    { anchor: null },
    { settings: [['k']] },
  ])('refuses %j', async (change) => {
    await expect(decodeState(await reencode(change))).rejects.toMatchObject({ code: 'VAULT_CORRUPT' })
  })
})

describe('search', () => {
  it('indexes words, numbers and CJK bigrams, and forgets', async () => {
    const index = new SearchIndex()
    await index.put('a', ['Größe der ＡＢＣ数据库 v2'])
    await index.put('b', ['データ 데이터'])
    expect(index.find('数据')).toEqual(new Set(['a']))
    expect(index.find('据库')).toEqual(new Set(['a']))
    expect(index.find('数库')).toEqual(new Set())
    expect(index.find('abc')).toEqual(new Set(['a']))
    expect(index.find('grö')).toEqual(new Set(['a']))
    expect(index.find('データ')).toEqual(new Set(['b']))
    expect(index.find('데이')).toEqual(new Set(['b']))
    expect(index.find('  !?')).toBeUndefined()
    await index.put('a', ['other'])
    expect(index.find('数据')).toEqual(new Set())
    index.delete('b')
    expect(index.find('データ')).toEqual(new Set())
  })

  it('takes a long text apart between words', async () => {
    const index = new SearchIndex()
    const words = Array.from({ length: 20_000 }, (_, i) => `word${i}`)
    await index.put('a', [words.join(' ')])
    for (const word of words) expect(index.find(word)?.has('a'), word).toBe(true)
    // Each of the words begins with it, and no end of a word was taken for one.
    expect(index.find('ord')).toEqual(new Set())
    expect(index.find('d1')).toEqual(new Set())
  })
})
