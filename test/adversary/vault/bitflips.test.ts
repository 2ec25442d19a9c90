import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { decodeCanonical } from '../../../core/vault/codec.ts'
import { readHeader } from '../../../core/vault/container.ts'
import { Vault } from '../../../core/vault/vault.ts'
import { temporaryDir } from '../../unit/vault/helpers.ts'
import { fileOf, flip, flipAndFix, KDF, PASSWORD, type Sample, sample, tryOpen } from './bitflips.script.ts'

let file: Sample
beforeAll(async () => {
  file = await sample()
  expect(await tryOpen(file.bytes, file.phrase)).toMatchObject({ code: '' })
})

describe('a flipped bit', () => {
  it('is refused in every byte of the header', async () => {
    for (let at = 0; at < file.bodyAt; at++) {
      const { code, emitted } = await tryOpen(flip(file.bytes, at * 8 + (at % 8)), file.phrase)
      expect(code, `byte ${at}`).toMatch(/^VAULT_(CORRUPT|VERSION)$/)
      expect(emitted).toBe(0)
    }
  })

  it('is refused in every byte of the header whose checksum was made right again', async () => {
    for (let at = 0; at < file.bodyAt - 32; at++) {
      const { code, emitted } = await tryOpen(
        flipAndFix(file.bytes, at * 8 + (at % 8), file.bodyAt),
        file.phrase,
      )
      expect(code, `byte ${at}`).not.toBe('')
      expect(emitted).toBe(0)
    }
  })

  it('is refused in 500 random places of the body', async () => {
    for (let i = 0; i < 500; i++) {
      const bit = file.bodyAt * 8 + Math.floor(Math.random() * 8 * (file.bytes.length - file.bodyAt))
      expect(await tryOpen(flip(file.bytes, bit), file.phrase), `bit ${bit}`).toEqual({
        code: 'VAULT_CORRUPT',
        emitted: 0,
      })
    }
  })
})

it('cutting off, extending, dropping, swapping and repeating chunks is refused', async () => {
  const { bytes, phrase, bodyAt } = file
  const chunk = 64 * 1024 + 16
  const body = bytes.subarray(bodyAt)
  const [a, b, c] = [body.subarray(0, chunk), body.subarray(chunk, 2 * chunk), body.subarray(2 * chunk)]
  const head = bytes.subarray(0, bodyAt)
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat([head, ...parts]))
  expect(await tryOpen(join(a, b, c), phrase)).toMatchObject({ code: '' })
  for (const bad of [
    join(a, b),
    join(a),
    join(),
    join(a, c),
    join(b, c),
    join(b, a, c),
    join(a, a, b, c),
    join(a, b, c, c),
    join(a, b, c, new Uint8Array(1)),
    join(a, b, c.subarray(1)),
  ])
    expect(await tryOpen(bad, phrase)).toEqual({ code: 'VAULT_CORRUPT', emitted: 0 })
  for (let cut = 0; cut < bytes.length; cut += 997)
    expect((await tryOpen(bytes.subarray(0, cut), phrase)).code, `cut at ${cut}`).not.toBe('')
})

it('a weakened or absurd KDF is refused before any password work', async () => {
  const home = await temporaryDir()
  const { header } = await readHeader('vault', fileOf(file.bytes))
  const rewrite = (change: Partial<typeof KDF>) => {
    const slots = header.slots.map((slot) =>
      slot.kind === 'password' ? { ...slot, kdf: { ...slot.kdf, ...change } } : slot,
    )
    const encoded = encodeCanonical({ ...header, slots })
    expect(encodeCanonical(decodeCanonical(encoded))).toEqual(encoded)
    const preamble = Buffer.from(file.bytes.subarray(0, 14))
    preamble.writeUInt32BE(encoded.length, 10)
    const bytes = Buffer.concat([preamble, encoded, new Uint8Array(32), file.bytes.subarray(file.bodyAt)])
    const bodyAt = 14 + encoded.length + 32
    // Flipping the same bit twice leaves the content and makes the checksum right.
    return flipAndFix(flip(bytes, 8 * bodyAt), 8 * bodyAt, bodyAt)
  }
  for (const [change, code] of [
    [{ memoryKiB: 8 }, 'KDF_DOWNGRADE'],
    [{ memoryKiB: 19 * 1024 - 1 }, 'KDF_DOWNGRADE'],
    [{ iterations: 1 }, 'KDF_DOWNGRADE'],
    [{ memoryKiB: 2 ** 31 }, 'VAULT_CORRUPT'],
    [{ iterations: 2 ** 31 }, 'VAULT_CORRUPT'],
    [{ parallelism: 2 ** 20 }, 'VAULT_CORRUPT'],
    [{ parallelism: 0 }, 'VAULT_CORRUPT'],
    // Within bounds but not what the slot was sealed with.
    [{ iterations: 3 }, 'PASSWORD_WRONG'],
  ] as const) {
    await writeFile(join(home.dir, 'vault.enigma'), rewrite(change))
    await expect(new Vault({ dir: home.dir }, { kdf: KDF }).unlock(PASSWORD)).rejects.toMatchObject({ code })
  }
  await writeFile(join(home.dir, 'vault.enigma'), rewrite({}))
  // Untouched parameters but a re-encoded header: the same bytes, so it opens. The test can fail.
  const vault = new Vault({ dir: home.dir }, { kdf: KDF })
  await vault.unlock(PASSWORD)
  await vault.lock()
  await home.remove()
})
