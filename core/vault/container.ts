import { createHash } from 'node:crypto'
import { z } from 'zod'
import { concatBytes, equalBytes, utf8, wipe } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { phraseToEntropy } from '../wallet/phrase.ts'
import { deriveKey, openStream, StreamSealer, seal, unseal } from './aead.ts'
import { decodeCanonical } from './codec.ts'
import { CONTAINER_VERSION } from './constants.ts'
import { argon2, checkKdf, passwordBytes } from './kdf.ts'
import type { KdfParameters, Secret, VaultFile } from './types.ts'

/**
 * One authenticated file:
 *
 *     magic (8) | version u16 | header length u32 | header, canonical CBOR | SHA-256 of all before | body
 *
 * The header holds an id, a fresh salt and key slots; each slot wraps the same random 32-byte file key. The body
 * is a STREAM under HKDF(file key, salt) with the SHA-256 as associated data, so the header is authenticated
 * with every chunk. The plain hash is there to tell damage from a wrong password; it proves nothing by itself.
 */
const MAGIC = { vault: utf8('ENIGMAVT'), export: utf8('ENIGMAEX') }
export type ContainerKind = keyof typeof MAGIC
const PREAMBLE = 14
const MAX_HEADER = 64 * 1024
const HASH = 32

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length)
const kdfSchema = z.strictObject({
  algorithm: z.literal('argon2id'),
  memoryKiB: z.int(),
  iterations: z.int(),
  parallelism: z.int(),
})
const passwordSlot = z.strictObject({
  kind: z.literal('password'),
  kdf: kdfSchema,
  salt: bytes(16),
  nonce: bytes(12),
  wrapped: bytes(48),
})
const phraseSlot = z.strictObject({
  kind: z.literal('phrase'),
  salt: bytes(16),
  nonce: bytes(12),
  wrapped: bytes(48),
})
const headerSchema = z.strictObject({
  id: bytes(16),
  salt: bytes(32),
  slots: z
    .array(z.discriminatedUnion('kind', [passwordSlot, phraseSlot]))
    .min(1)
    .max(4),
})

export type Slot = z.infer<typeof headerSchema>['slots'][number]
export type ContainerHeader = z.infer<typeof headerSchema>

export interface OpenedHeader {
  header: ContainerHeader
  /** Associated data of the body; names this very version of the file. */
  digest: Uint8Array
  /** Where the body starts. */
  bodyAt: number
}

function slotAad(kind: ContainerKind, id: Uint8Array, slot: Record<string, unknown>): Uint8Array {
  const { nonce: _, wrapped: __, ...parameters } = slot
  return encodeCanonical(['enigma/slot', kind, id, parameters])
}

/** Wraps `fileKey` under a password with Argon2id. Throws KDF_DOWNGRADE when `kdf` is below the floor. */
export async function passwordKeySlot(
  kind: ContainerKind,
  id: Uint8Array,
  fileKey: Uint8Array,
  password: Secret,
  kdf: KdfParameters,
): Promise<Slot> {
  const { memoryKiB, iterations, parallelism } = kdf
  const slot = {
    kind: 'password' as const,
    kdf: { algorithm: 'argon2id' as const, memoryKiB, iterations, parallelism },
    salt: randomBytes(16),
  }
  const secret = passwordBytes(password)
  const key = await argon2(secret, slot.salt, slot.kdf)
  const nonce = randomBytes(12)
  const wrapped = seal(key, nonce, slotAad(kind, id, slot), fileKey)
  wipe(secret, key)
  return { ...slot, nonce, wrapped }
}

/** Wraps `fileKey` under the entropy of a phrase; 128 bits or more of it need no slow hash. */
export function phraseKeySlot(
  kind: ContainerKind,
  id: Uint8Array,
  fileKey: Uint8Array,
  entropy: Uint8Array,
): Slot {
  const slot = { kind: 'phrase' as const, salt: randomBytes(16) }
  const key = deriveKey(entropy, slot.salt, 'enigma/phrase-slot/v1')
  const nonce = randomBytes(12)
  const wrapped = seal(key, nonce, slotAad(kind, id, slot), fileKey)
  wipe(key)
  return { ...slot, nonce, wrapped }
}

/** The file key, or undefined when no password slot opens. Throws KDF_DOWNGRADE, VAULT_CORRUPT before any work. */
export async function unlockWithPassword(
  kind: ContainerKind,
  header: ContainerHeader,
  password: Secret,
): Promise<Uint8Array | undefined> {
  const slots = header.slots.filter((slot) => slot.kind === 'password')
  for (const slot of slots) checkKdf(slot.kdf)
  for (const slot of slots) {
    const secret = passwordBytes(password)
    const key = await argon2(secret, slot.salt, slot.kdf)
    const fileKey = unseal(key, slot.nonce, slotAad(kind, header.id, slot), slot.wrapped)
    wipe(secret, key)
    if (fileKey !== undefined) return fileKey
  }
  return undefined
}

/** The file key, or undefined when this phrase belongs to another file. Throws PHRASE_INVALID. */
export function unlockWithPhrase(
  kind: ContainerKind,
  header: ContainerHeader,
  phrase: Secret,
): Uint8Array | undefined {
  const entropy = phraseToEntropy(phrase)
  try {
    return unlockWithEntropy(kind, header, entropy)
  } finally {
    wipe(entropy)
  }
}

/** As `unlockWithPhrase`, from the phrase's entropy (16 to 32 bytes). */
export function unlockWithEntropy(
  kind: ContainerKind,
  header: ContainerHeader,
  entropy: Uint8Array,
): Uint8Array | undefined {
  for (const slot of header.slots) {
    if (slot.kind !== 'phrase') continue
    const key = deriveKey(entropy, slot.salt, 'enigma/phrase-slot/v1')
    const fileKey = unseal(key, slot.nonce, slotAad(kind, header.id, slot), slot.wrapped)
    wipe(key)
    if (fileKey !== undefined) return fileKey
  }
  return undefined
}

/** The bytes before the body, and a sealer for the body. The salt is fresh, so the body key is used once. */
export function beginContainer(
  kind: ContainerKind,
  id: Uint8Array,
  slots: Slot[],
  fileKey: Uint8Array,
): { head: Uint8Array; digest: Uint8Array; sealer: StreamSealer } {
  const salt = randomBytes(32)
  const header = encodeCanonical({ id, salt, slots })
  const preamble = new Uint8Array(PREAMBLE)
  preamble.set(MAGIC[kind])
  const view = new DataView(preamble.buffer)
  view.setUint16(8, CONTAINER_VERSION)
  view.setUint32(10, header.length)
  const before = concatBytes(preamble, header)
  const digest = new Uint8Array(createHash('sha256').update(before).digest())
  const key = deriveKey(fileKey, salt, `enigma/${kind}/body/v1`)
  const sealer = new StreamSealer(key, digest)
  wipe(key)
  return { head: concatBytes(before, digest), digest, sealer }
}

/**
 * Parses what precedes the body. Throws VAULT_VERSION for a newer file (nothing is written), VAULT_CORRUPT for
 * anything we did not write. Authenticity is only known once the body opened.
 */
export async function readHeader(kind: ContainerKind, file: VaultFile): Promise<OpenedHeader> {
  const corrupt = (problem: string) =>
    new EnigmaError('VAULT_CORRUPT', `the ${kind} file is damaged: ${problem}`, {
      remedy:
        'Nothing was changed. Put back a backup copy of the file, or restore from your export and phrase.',
    })
  const preamble = await file.read(PREAMBLE, 0)
  if (preamble.length < PREAMBLE || !equalBytes(preamble.subarray(0, 8), MAGIC[kind]))
    throw corrupt('this is not such a file')
  const view = new DataView(preamble.buffer, preamble.byteOffset, PREAMBLE)
  const version = view.getUint16(8)
  const length = view.getUint32(10)
  if (version > CONTAINER_VERSION)
    throw new EnigmaError(
      'VAULT_VERSION',
      `the ${kind} file has version ${version}, this program knows ${CONTAINER_VERSION}`,
      {
        remedy: 'Update the program. The file was not touched.',
        details: { version, supported: CONTAINER_VERSION },
      },
    )
  if (version !== CONTAINER_VERSION || length > MAX_HEADER) throw corrupt('impossible header')
  const rest = await file.read(length + HASH, PREAMBLE)
  if (rest.length < length + HASH) throw corrupt('it is cut off')
  const encoded = rest.subarray(0, length)
  const digest = rest.slice(length)
  const expected = createHash('sha256').update(preamble).update(encoded).digest()
  if (!equalBytes(expected, digest)) throw corrupt('the header does not match its checksum')
  const parsed = headerSchema.safeParse(decodeCanonical(encoded))
  if (!parsed.success) throw corrupt('malformed header')
  return { header: parsed.data, digest, bodyAt: PREAMBLE + length + HASH }
}

/** The body, chunk by chunk, each authenticated. Throws VAULT_CORRUPT; a prefix is not proof of the whole. */
export async function* openBody(
  kind: ContainerKind,
  opened: OpenedHeader,
  fileKey: Uint8Array,
  file: VaultFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  const key = deriveKey(fileKey, opened.header.salt, `enigma/${kind}/body/v1`)
  const length = (await file.size()) - opened.bodyAt
  try {
    yield* openStream(key, opened.digest, (n, at) => file.read(n, at), opened.bodyAt, length)
  } catch (error) {
    if (!(error instanceof EnigmaError)) throw error
    throw new EnigmaError('VAULT_CORRUPT', `the ${kind} file is damaged: ${error.message}`, {
      remedy:
        'Nothing was changed. Put back a backup copy of the file, or restore from your export and phrase.',
    })
  } finally {
    wipe(key)
  }
}

/** The whole body, only after its last chunk authenticated. */
export async function readBody(
  kind: ContainerKind,
  opened: OpenedHeader,
  fileKey: Uint8Array,
  file: VaultFile,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  try {
    for await (const part of openBody(kind, opened, fileKey, file)) parts.push(part)
    return concatBytes(...parts)
  } finally {
    wipe(...parts)
  }
}
