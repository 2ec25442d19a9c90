import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { Keystore } from '../wallet/keystore.ts'
import { phraseToEntropy } from '../wallet/phrase.ts'
import { BlobStore } from './blobs.ts'
import { unlockWithEntropy } from './container.ts'
import { readExport } from './export.ts'
import { KeyRing } from './keys.ts'
import { blobDir, openVaultFile, type Place } from './session.ts'
import { referencedBlobs } from './state.ts'
import { checkRecord, drain } from './transfer.ts'
import type { RehearsalResult, Secret } from './types.ts'

/** Tries a restore of the vault at `place`, and of the export at `backupPath`, without writing anything. Throws PHRASE_INVALID. */
export async function rehearseRestore(
  place: Place,
  phrase: Secret,
  backupPath: string | undefined,
): Promise<RehearsalResult> {
  const entropy = phraseToEntropy(phrase)
  const keys = await Keystore.fromEntropy(entropy)
  try {
    const vault = await attempt(() => rehearseVault(place, entropy))
    const backup =
      backupPath === undefined
        ? undefined
        : await attempt(async () => {
            const { manifest } = await readExport(place.fs, backupPath, { phrase }, drain)
            return {
              records: manifest.records,
              files: manifest.files,
              created: new Date(manifest.created).toISOString(),
            }
          })
    return {
      ok: vault.opens && (backup?.opens ?? true),
      address: keys.signer().address,
      depositAddress: keys.deposit().address,
      vault,
      ...(backup === undefined ? {} : { backup }),
    }
  } finally {
    keys.dispose()
    wipe(entropy)
  }
}

async function rehearseVault(place: Place, entropy: Uint8Array): Promise<{ records: number; files: number }> {
  const found = await openVaultFile(place, async ({ header }) => unlockWithEntropy('vault', header, entropy))
  if (found === undefined)
    throw new EnigmaError('PHRASE_INVALID', 'this phrase belongs to another vault than the one here')
  const { fileKey, state } = found
  const keys = new KeyRing(fileKey, state.contentKey)
  try {
    const blobs = new BlobStore(place.fs, blobDir(place, state.id), keys)
    for (const record of state.records.values()) await checkRecord(blobs, record)
    return { records: state.records.size, files: referencedBlobs(state).size }
  } finally {
    keys.close()
    wipe(state.entropy)
  }
}

type Tried<T> = { opens: boolean; records: number; files: number; problem?: string } & Partial<T>

async function attempt<T extends { records: number; files: number }>(
  run: () => Promise<T>,
): Promise<Tried<T>> {
  try {
    return { opens: true, ...(await run()) }
  } catch (error) {
    return { opens: false, records: 0, files: 0, problem: EnigmaError.from(error).message } as Tried<T>
  }
}
