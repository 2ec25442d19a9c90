import { LIMITS } from './constants.ts'
import { fingerprint } from './records.ts'
import type { StoredRecord, StoredSetting, StoredVersion } from './state.ts'
import type { MergeResult, ShareEntry } from './types.ts'

/** Oldest first; of equal times the one with the smaller fingerprint, so that both sides order alike. */
function ordered(versions: StoredVersion[]): StoredVersion[] {
  const unique = new Map(versions.map((version) => [fingerprint(version), version]))
  return [...unique]
    .sort(([fa, a], [fb, b]) => a.time - b.time || (fa < fb ? -1 : fa > fb ? 1 : 0))
    .map(([, version]) => version)
}

function mergeShares(mine: ShareEntry[], theirs: ShareEntry[]): ShareEntry[] {
  const known = new Set(mine.map((share) => share.id))
  return [...mine, ...theirs.filter((share) => !known.has(share.id))].slice(0, LIMITS.shares)
}

/**
 * Both histories in one: the newest version becomes current, nothing is lost (up to the limit of versions). A
 * record that is in the trash here stays there unless it was changed elsewhere afterwards. Undefined when there
 * is nothing new. Merging twice, or in the other direction, gives the same versions.
 */
export function mergeRecord(mine: StoredRecord, theirs: StoredRecord): StoredRecord | undefined {
  const all = ordered([...mine.history, mine, ...theirs.history, theirs])
  const shares = mergeShares(mine.shares, theirs.shares)
  const before = ordered([...mine.history, mine])
  const same =
    all.length === before.length &&
    all.every((version, i) => fingerprint(version) === fingerprint(before[i]!)) &&
    shares.length === mine.shares.length
  if (same) return undefined
  const kept = all.slice(-(LIMITS.history + 1))
  const top = Math.max(mine.version, theirs.version, kept.length)
  const numbered = kept.map(({ time, title, tags, content }, i) => ({
    version: top - (kept.length - 1 - i),
    time,
    title,
    tags,
    content,
  }))
  const current = numbered.at(-1)!
  const keepDeleted = mine.deleted !== undefined && mine.deleted >= current.time
  return {
    ...current,
    id: mine.id,
    created: Math.min(mine.created, theirs.created),
    history: numbered.slice(0, -1),
    shares,
    ...(keepDeleted ? { deleted: mine.deleted! } : {}),
  }
}

/** All records of both. `result.files` is left to the caller, who stored them. */
export function mergeRecords(
  mine: ReadonlyMap<string, StoredRecord>,
  theirs: readonly StoredRecord[],
): { records: Map<string, StoredRecord>; result: Omit<MergeResult, 'files'> } {
  const records = new Map(mine)
  const result = { added: 0, updated: 0, unchanged: 0 }
  for (const record of theirs) {
    const existing = records.get(record.id)
    const merged = existing === undefined ? record : mergeRecord(existing, record)
    if (merged === undefined) result.unchanged++
    else {
      records.set(record.id, merged)
      if (existing === undefined) result.added++
      else result.updated++
    }
  }
  return { records, result }
}

/** The newer of two settings with the same key. */
export function mergeSettings(
  mine: ReadonlyMap<string, StoredSetting>,
  theirs: ReadonlyMap<string, StoredSetting>,
): Map<string, StoredSetting> {
  const out = new Map(mine)
  for (const [key, setting] of theirs) {
    const existing = out.get(key)
    if (existing === undefined || existing.updated < setting.updated) out.set(key, setting)
  }
  return out
}
