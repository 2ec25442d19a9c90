/**
 * Flips one bit at a time in a vault file and an export, and demands that every one is refused without a byte of
 * plaintext. `node test/adversary/vault/bitflips.script.ts [flips]` runs 10,000 by default.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wipe } from '../../../core/base/bytes.ts'
import { EnigmaError } from '../../../core/base/errors.ts'
import { type OpenedHeader, openBody, readHeader, unlockWithPhrase } from '../../../core/vault/container.ts'
import type { VaultFile } from '../../../core/vault/types.ts'
import { Vault } from '../../../core/vault/vault.ts'

export const KDF = { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 }
export const PASSWORD = 'correct horse battery staple'

export interface Sample {
  bytes: Uint8Array
  phrase: string
  /** Where the body starts: everything before is header. */
  bodyAt: number
}

/** A vault file with a few records, 70 KiB of inline content, so that the body has several chunks. */
export async function sample(): Promise<Sample> {
  const dir = await mkdtemp(join(tmpdir(), 'enigma-flips-'))
  try {
    const vault = new Vault({ dir }, { kdf: KDF })
    const { phrase } = await vault.create(PASSWORD)
    await vault.add({ title: 'salary', value: { type: 'number', value: '5400.50' } })
    await vault.putSetting('bulk', new Uint8Array(150_000).fill(7))
    await vault.lock()
    const bytes = new Uint8Array(await readFile(join(dir, 'vault.enigma')))
    const { bodyAt } = await readHeader('vault', fileOf(bytes))
    return { bytes, phrase, bodyAt }
  } finally {
    await rm(dir, { recursive: true })
  }
}

export function fileOf(bytes: Uint8Array): VaultFile {
  return {
    read: async (length, position) => bytes.slice(position, position + length),
    size: async () => bytes.length,
    write: () => Promise.reject(new Error('read only')),
    truncate: () => Promise.reject(new Error('read only')),
    sync: async () => {},
    close: async () => {},
  }
}

/** What opening gives: the code it was refused with and how many plaintext bytes came out before that. */
export async function tryOpen(bytes: Uint8Array, phrase: string): Promise<{ code: string; emitted: number }> {
  const file = fileOf(bytes)
  const parts: Uint8Array[] = []
  let opened: OpenedHeader
  try {
    opened = await readHeader('vault', file)
    const fileKey = unlockWithPhrase('vault', opened.header, phrase)
    if (fileKey === undefined) return { code: 'SLOT', emitted: 0 }
    // Collected as readBody does: nothing leaves before the last chunk authenticated.
    for await (const part of openBody('vault', opened, fileKey, file)) parts.push(part)
    return { code: '', emitted: parts.reduce((sum, part) => sum + part.length, 0) }
  } catch (error) {
    wipe(...parts)
    if (!(error instanceof EnigmaError)) throw error
    return { code: error.code, emitted: 0 }
  }
}

/** The same file with bit `bit` flipped. */
export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice()
  out[bit >> 3]! ^= 1 << (bit & 7)
  return out
}

/** As an attacker would: the plain checksum of the header made right again after the flip. */
export function flipAndFix(bytes: Uint8Array, bit: number, bodyAt: number): Uint8Array {
  const out = flip(bytes, bit)
  out.set(
    createHash('sha256')
      .update(out.subarray(0, bodyAt - 32))
      .digest(),
    bodyAt - 32,
  )
  return out
}

async function main(flips: number): Promise<void> {
  const { bytes, phrase, bodyAt } = await sample()
  const codes: Record<string, number> = {}
  let failures = 0
  for (let i = 0; i < flips; i++) {
    const inHeader = i % 4 === 0
    const bit = Math.floor(Math.random() * 8 * (inHeader ? bodyAt - 32 : bytes.length))
    const bad = i % 8 === 0 && inHeader ? flipAndFix(bytes, bit, bodyAt) : flip(bytes, bit)
    const { code, emitted } = await tryOpen(bad, phrase)
    codes[code] = (codes[code] ?? 0) + 1
    if (code === '' || emitted > 0) {
      failures++
      process.stderr.write(`bit ${bit} was accepted\n`)
    }
  }
  process.stdout.write(`${JSON.stringify({ flips, failures, codes })}\n`)
  process.exitCode = failures === 0 && (await tryOpen(bytes, phrase)).code === '' ? 0 : 1
}

if (import.meta.main) await main(Number(process.argv[2] ?? 10_000))
