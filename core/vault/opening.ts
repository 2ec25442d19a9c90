import { timingSafeEqual } from 'node:crypto'
import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { EMPTY_ANCHOR } from './activity.ts'
import {
  passwordKeySlot,
  phraseKeySlot,
  readHeader,
  unlockWithEntropy,
  unlockWithPassword,
} from './container.ts'
import { removeTemporaries } from './fs.ts'
import { calibrateKdf } from './kdf.ts'
import { openVaultFile, type Place, Session, vaultPath } from './session.ts'
import type { VaultState } from './state.ts'
import type { KdfParameters, Secret } from './types.ts'

/** Where a vault is, and how hard its password is made to guess: by default what takes 0.7 s here. */
export interface Opening {
  readonly place: Place
  readonly kdf: KdfParameters | undefined
}

/** Writes a new vault around `entropy`, of which it takes ownership, and opens it. Throws VAULT_EXISTS. */
export async function createSession(
  opening: Opening,
  entropy: Uint8Array,
  password: Secret,
): Promise<Session> {
  const { place } = opening
  const { fs, dir, clock } = place
  await fs.makeDir(dir)
  if (await fs.exists(vaultPath(place)))
    throw new EnigmaError('VAULT_EXISTS', 'there is a vault here already', {
      remedy: 'Unlock it, or choose another data directory.',
    })
  await removeTemporaries(fs, dir)
  const fileKey = randomBytes(32)
  const state: VaultState = {
    id: randomBytes(16),
    created: clock.now(),
    contentKey: randomBytes(32),
    entropy,
    records: new Map(),
    settings: new Map(),
    anchor: EMPTY_ANCHOR,
  }
  const session = await Session.open(place, fileKey, state, await newSlots(opening, state, fileKey, password))
  try {
    await session.save(state)
  } catch (error) {
    await session.close()
    // A vault whose phrase nobody has seen must not stay behind.
    await fs.remove(vaultPath(place)).catch(() => {})
    throw error
  }
  return session
}

/** Opens the vault with its phrase and gives it a new password. Throws PHRASE_INVALID. */
export async function reopenSession(
  opening: Opening,
  entropy: Uint8Array,
  password: Secret,
): Promise<Session> {
  const found = await openVaultFile(opening.place, async ({ header }) =>
    unlockWithEntropy('vault', header, entropy),
  )
  if (found === undefined)
    throw new EnigmaError('PHRASE_INVALID', 'this phrase belongs to another vault than the one here', {
      remedy: 'Use the phrase of this vault, or choose an empty data directory.',
    })
  const { opened, fileKey, state } = found
  const session = await Session.open(opening.place, fileKey, state, opened.header.slots, opened.digest)
  try {
    await reseal(opening, session, password)
  } catch (error) {
    await session.close()
    throw error
  }
  await session.sweep()
  return session
}

/** Gives the open vault a new key under a new password. */
export async function reseal(opening: Opening, session: Session, password: Secret): Promise<void> {
  const fileKey = randomBytes(32)
  const slots = await newSlots(opening, session.state, fileKey, password)
  await session.save(session.state, { fileKey, slots })
}

/** Whether the password opens the file to the very key this session has. */
export async function opensWith(place: Place, session: Session, password: Secret): Promise<boolean> {
  const file = await place.fs.open(vaultPath(place), 'read')
  let fileKey: Uint8Array | undefined
  try {
    const { header } = await readHeader('vault', file)
    fileKey = await unlockWithPassword('vault', header, password)
    return fileKey !== undefined && timingSafeEqual(fileKey, session.keys.fileKey)
  } finally {
    wipe(fileKey)
    await file.close()
  }
}

async function newSlots(
  { kdf }: Opening,
  { id, entropy }: VaultState,
  fileKey: Uint8Array,
  password: Secret,
) {
  const phrase = phraseKeySlot('vault', id, fileKey, entropy)
  return [await passwordKeySlot('vault', id, fileKey, password, kdf ?? (await calibrateKdf())), phrase]
}
